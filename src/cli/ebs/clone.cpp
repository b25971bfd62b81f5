// runctl aws ebs clone
#include "volume/clone.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/ebs/target.hpp"
#include "cli/output.hpp"
#include "volume/create.hpp"
#include "volume/place.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 6> options{{
    {.name = "--name", .value = "NAME", .help = "the copy's Name tag"},
    {.name = "--tag",
     .value = "K=V",
     .help = "a tag of the copy",
     .times = OptionSpec::Times::many},
    {.name = "--no-freeze", .help = "do not hold writers back; the copy is crash-consistent"},
    {.name = "--instance", .value = "INSTANCE", .help = "attach the copy to this machine"},
    {.name = "--mount", .value = "DIR", .help = "with --instance: and mount it there"},
    {.name = "--read-only", .help = "with --mount: at the device and in the mount"},
}};

struct Options {
  volume::CloneSpec clone;
  std::optional<Target> target;
};

Result<Options> parse_options(const Arguments& arguments, const volume::Session& session) {
  Options parsed;
  RUNCTL_TRY_LET(parsed.clone.tags, parse_tags(arguments));
  if (arguments.has("--no-freeze")) parsed.clone.freezing = volume::Freezing::no;
  RUNCTL_TRY_LET(parsed.target, find_target(arguments, session));
  return parsed;
}

struct Done {
  volume::Cloned cloned;
  std::optional<volume::Placed> placed;
};

Result<Done> carry_out(const volume::Change& change, const volume::VolumeFacts& source,
                       const Options& wanted) {
  RUNCTL_TRY_LET(auto cloned, volume::execute_clone(change, source, wanted.clone));
  Done done{.cloned = std::move(cloned), .placed = {}};
  const VolumeId id = done.cloned.volume.id;
  if (wanted.target) {
    RUNCTL_TRY_LET(done.placed, volume::place_new(change, id, wanted.target->machine,
                                                  {.mount = wanted.target->mount}));
    return done;
  }
  auto ready = volume::wait_until_available(change.session, id);
  if (!ready) {
    return with_context(std::move(ready).error(),
                        fmt::format("making volume {}, which exists", id));
  }
  done.cloned.volume = *std::move(ready);
  return done;
}

Presentation describe(const volume::VolumeFacts& source, const Options& wanted, const Done& done) {
  const auto& cloned = done.cloned;
  std::string text = fmt::format("Volume {} is a copy of {}, {}.\n", cloned.volume.id, source.id,
                                 volume::name_of(cloned.worth.consistency));
  text += text_of(cloned.worth);
  auto record = record_of(cloned.volume);
  record["source_volume_id"] = source.id.str();
  add_to_record(record, cloned.worth);
  if (done.placed) {
    text += fmt::format("It is attached to {} as {}.\n", wanted.target->machine.id,
                        done.placed->device);
    add_placed(text, record, *wanted.target, *done.placed);
  }
  return {.text = std::move(text), .record = std::move(record), .id = cloned.volume.id.str()};
}

std::vector<std::string> steps_of(const volume::VolumeFacts& source, const Options& wanted) {
  std::vector<std::string> steps{
      fmt::format("copy volume {} in {}", label_of(source), source.zone)};
  add_steps(steps, "the copy", wanted.target);
  return steps;
}

Result<ExitCode> clone(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto source, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto wanted, parse_options(arguments, session));
  if (auto refusal = volume::check_clone(source)) return std::unexpected{*std::move(refusal)};
  if (wanted.target) {
    RUNCTL_TRY(volume::check_target(wanted.target->machine, source.zone, wanted.target->mount));
  }
  if (context.globals.dry_run) return show_plan(context, steps_of(source, wanted));
  RUNCTL_TRY_LET(
      const auto done,
      cloud->carry_out(
          session, making_operation("clone", source.id.str(), wanted.target),
          [&](const volume::Change& change) { return carry_out(change, source, wanted); }));
  present(context, describe(source, wanted, done));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_clone{.path = "aws ebs clone",
                            .summary = "copy a volume within its zone",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::changes,
                            .run = clone};

}  // namespace runctl::cli
