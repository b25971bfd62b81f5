// runctl aws ebs modify
#include "volume/modify.hpp"

#include <array>

#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 4> options{{
    {.name = "--size", .value = "GIB", .help = "the new size; it can only grow"},
    {.name = "--type",
     .value = "TYPE",
     .help = "gp3, gp2, io1, io2, st1, sc1 or standard",
     .alias = "--volume-type"},
    {.name = "--iops", .value = "N", .help = "for gp3, io1 and io2"},
    {.name = "--throughput", .value = "MIBS", .help = "for gp3, in MiB/s"},
}};

Result<volume::ModifySpec> parse_options(const Arguments& arguments) {
  volume::ModifySpec spec;
  if (const auto size = arguments.get("--size")) {
    RUNCTL_TRY_LET(spec.size, parse_gib(*size));
  }
  spec.type = arguments.get("--type");
  RUNCTL_TRY_LET(spec.iops, parse_count(arguments, "--iops"));
  RUNCTL_TRY_LET(spec.throughput, parse_count(arguments, "--throughput"));
  if (!spec.size && !spec.type && !spec.iops && !spec.throughput) {
    auto nothing = fail(Errc::invalid_argument, "nothing is said to be modified");
    nothing.error().hint = "For example: runctl aws ebs modify datasets --size 200";
    return nothing;
  }
  return spec;
}

std::vector<std::string> changes_of(const volume::ModifySpec& spec) {
  std::vector<std::string> changes;
  if (spec.size) changes.push_back(fmt::format("{} GiB", spec.size->count));
  if (spec.type) changes.push_back(*spec.type);
  if (spec.iops) changes.push_back(fmt::format("{} IOPS", *spec.iops));
  if (spec.throughput) changes.push_back(fmt::format("{} MiB/s", *spec.throughput));
  return changes;
}

struct Done {
  bool modified = false;       // and not so already
  bool is_optimizing = false;  // EC2 is not through with it, or with the one that made it so
  std::optional<volume::Growth> growth = {};
};

Result<Done> carry_out(const volume::Change& change, const volume::VolumeFacts& volume,
                       std::optional<volume::ModificationFacts> newest,
                       const volume::ModifyPlan& plan, const volume::ModifySpec& spec) {
  Done done{.modified = !plan.is_as_asked};
  if (done.modified) {
    RUNCTL_TRY_LET(newest, volume::execute_modify(change, volume, plan, spec));
  }
  done.is_optimizing = newest && newest->state == volume::ModificationState::optimizing;
  if (!spec.size) return done;
  auto growth = volume::grow_filesystem(change, volume, *spec.size);
  if (!growth) {
    growth.error().details.push_back(
        fmt::format("volume {} has {} GiB now, and its filesystem does not yet fill it", volume.id,
                    spec.size->count));
    growth.error().hint = "Run the command again: what is done stays done.";
    return std::unexpected{std::move(growth).error()};
  }
  done.growth = *std::move(growth);
  return done;
}

std::string growth_text(const volume::Growth& growth, const VolumeId& volume) {
  if (!growth.grown) {
    return fmt::format("Its filesystem was not grown: {}.\n", growth.why_not);
  }
  const auto& grown = *growth.grown;
  if (grown.already) return fmt::format("Its {} fills volume {} already.\n", grown.type, volume);
  return fmt::format("Its {} has grown from {} to {}.\n", grown.type,
                     bytes_in_words(grown.old_bytes), bytes_in_words(grown.new_bytes));
}

Presentation describe(const volume::VolumeFacts& volume, const volume::ModifySpec& spec,
                      const Done& done) {
  std::string text =
      fmt::format("Volume {} {} {}.\n", volume.id, done.modified ? "now has" : "already had",
                  fmt::join(changes_of(spec), ", "));
  boost::json::object record{{"volume_id", volume.id.str()}, {"modified", done.modified}};
  if (done.is_optimizing) {
    text += "AWS goes on optimizing it; its speed may be the old one until that is done.\n";
  }
  if (done.growth) {
    text += growth_text(*done.growth, volume.id);
    record["filesystem_grown"] = done.growth->grown && !done.growth->grown->already;
    if (done.growth->grown) record["filesystem_bytes"] = done.growth->grown->new_bytes;
    if (!done.growth->why_not.empty()) record["why_not_grown"] = done.growth->why_not;
  }
  return {.text = std::move(text), .record = std::move(record), .id = volume.id.str()};
}

Result<ExitCode> modify(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto spec, parse_options(arguments));
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto newest, volume::read_modification(session, volume.id));
  auto plan = volume::plan_modify(volume, newest, spec);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (context.globals.dry_run) {
    std::vector<std::string> steps;
    if (plan.is_under_way) {
      steps.push_back(
          fmt::format("wait for the modification of volume {} that EC2 is at", label_of(volume)));
    } else if (!plan.is_as_asked) {
      steps.push_back(fmt::format("modify volume {} to {}; EC2 takes 4 of these in 24 hours",
                                  label_of(volume), fmt::join(changes_of(spec), ", ")));
    }
    if (spec.size) steps.emplace_back("grow its filesystem where it is mounted to write");
    if (steps.empty()) steps.emplace_back("nothing: it is so already");
    return show_plan(context, steps);
  }
  boost::json::object end;
  if (spec.size) end["size"] = spec.size->count;
  RUNCTL_TRY_LET(
      const auto done,
      cloud->carry_out(session,
                       {.kind = "modify", .subjects = {volume.id.str()}, .plan = std::move(end)},
                       [&](const volume::Change& change) {
                         return carry_out(change, volume, newest, plan, spec);
                       }));
  present(context, describe(volume, spec, done));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_modify{.path = "aws ebs modify",
                             .summary = "make a volume larger or faster, in use",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::changes,
                             .run = modify};

}  // namespace runctl::cli
