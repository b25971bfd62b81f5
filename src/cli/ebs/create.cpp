// runctl aws ebs create
#include "volume/create.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/fill_objects.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/pre_warm.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "cli/s3/session.hpp"
#include "fleet/prewarm.hpp"
#include "volume/mount.hpp"
#include "volume/prices.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 13> options{{
    {.name = "--size", .value = "GIB", .help = "the size, in GiB"},
    {.name = "--type",
     .value = "TYPE",
     .help = "gp3 (default), gp2, io1, io2, st1, sc1 or standard",
     .alias = "--volume-type"},
    {.name = "--name", .value = "NAME", .help = "its Name tag, by which commands find it"},
    {.name = "--availability-zone",
     .value = "AZ",
     .help = "where it is, and where its machine must be (default: the region's first)"},
    {.name = "--iops", .value = "N", .help = "for gp3, io1 and io2 (default: 3000)"},
    {.name = "--throughput", .value = "MIBS", .help = "for gp3, in MiB/s"},
    {.name = "--multi-attach", .help = "for io1 and io2: several machines may attach it"},
    {.name = "--encrypted", .help = "encrypt it (with the account's default key)"},
    {.name = "--kms-key", .value = "KEY", .help = "encrypt it with this key: id, ARN or alias"},
    {.name = "--filesystem",
     .value = "ext4|xfs",
     .help = "the filesystem that it gets at its first mount"},
    {.name = "--tag", .value = "K=V", .help = "a tag", .times = OptionSpec::Times::many},
    {.name = "--persistent", .help = "protect it from being deleted"},
    {.name = "--pre-warm",
     .value = "S3URI",
     .help = "fill it with what is below a folder of S3, on a temporary machine"},
}};

Result<volume::VolumeSpec> spec_from(const Arguments& arguments) {
  const auto size = arguments.get("--size");
  if (!size) {
    auto missing = fail(Errc::invalid_argument, "a new volume needs --size");
    missing.error().hint = "For example: runctl aws ebs create --size 100 --name datasets";
    return missing;
  }
  volume::VolumeSpec spec;
  RUNCTL_TRY_LET(spec.size, parse_gib(*size));
  spec.type = arguments.get("--type").value_or("gp3");
  spec.zone = arguments.get("--availability-zone").value_or("");
  RUNCTL_TRY_LET(spec.iops, parse_count(arguments, "--iops"));
  RUNCTL_TRY_LET(spec.throughput, parse_count(arguments, "--throughput"));
  spec.multi_attach = arguments.has("--multi-attach");
  spec.kms_key = arguments.get("--kms-key").value_or("");
  spec.encrypted = arguments.has("--encrypted") || !spec.kms_key.empty();
  RUNCTL_TRY_LET(spec.tags, parse_tags(arguments));
  if (const auto filesystem = arguments.get("--filesystem")) {
    RUNCTL_TRY(volume::parse_filesystem(*filesystem));
    spec.tags.emplace(volume::tag::filesystem, *filesystem);
  }
  // What is filled needs a filesystem, and the volume is known to be empty.
  if (arguments.has("--pre-warm")) spec.tags.emplace(volume::tag::filesystem, "ext4");
  if (arguments.has("--persistent")) spec.tags.emplace(volume::tag::is_protected, "true");
  return spec;
}

// IOPS that nobody asked for cost money.
void tell_default_iops(Context& context, const volume::VolumeSpec& spec) {
  const auto with =
      volume::volume_per_month({.type = spec.type, .size = spec.size, .iops = spec.iops});
  note(context, fmt::format("{} needs a number of IOPS: {}, as nothing else is said with --iops{}.",
                            spec.type, *spec.iops,
                            with ? fmt::format(" (the volume costs about {} a month)",
                                               volume::dollars(*with))
                                 : std::string{}));
}

// What the new volume is to be filled with.
struct Filling {
  std::unique_ptr<S3Session> s3;
  Survey survey;
};

Result<std::optional<Filling>> filling_from(const Arguments& arguments, Context& context,
                                            const volume::VolumeSpec& spec) {
  const auto text = arguments.get("--pre-warm");
  if (!text) return std::nullopt;
  RUNCTL_TRY_LET(const auto source, transfer::parse_s3_uri(*text));
  RUNCTL_TRY_LET(auto s3, connect_s3(context, {}));
  RUNCTL_TRY_LET(auto found, survey(*s3, source));
  RUNCTL_TRY(check_room(found, spec.size, "the new volume"));
  return Filling{.s3 = std::move(s3), .survey = std::move(found)};
}

// The plan of a volume that is yet to come, for people.
Result<std::vector<std::string>> steps_of(const volume::VolumeSpec& spec,
                                          const std::optional<Filling>& filling) {
  std::vector<std::string> steps{
      fmt::format("create a volume of {} GiB, {}, in {}", spec.size.count, spec.type, spec.zone)};
  if (!filling) return steps;
  RUNCTL_TRY_LET(auto nobody, VolumeId::parse("vol-00000000"));
  const fleet::PrewarmPlan future{.volume = {.id = std::move(nobody)},
                                  .attaches = true,
                                  .mounts = true,
                                  .launch = {.zone = spec.zone}};
  for (std::string& step : fill_steps(future, filling->survey, "the volume"))
    steps.push_back(std::move(step));
  return steps;
}

Result<volume::VolumeFacts> make(Cloud& cloud, const volume::Session& session,
                                 const volume::VolumeSpec& spec) {
  return cloud.carry_out(session, {.kind = "create"},
                         [&](const volume::Change& change) -> Result<volume::VolumeFacts> {
                           RUNCTL_TRY_LET(const auto made, volume::create_volume(change, spec));
                           auto available = volume::wait_until_available(change.session, made.id);
                           if (available) return available;
                           // It exists and is paid for: whatever happened, say so.
                           return with_context(
                               std::move(available).error(),
                               fmt::format("making volume {}, which exists", made.id));
                         });
}

// An operation of its own: what is filled in part is gone on with by `pre-warm`.
Result<ExitCode> fill_new(Context& context, Cloud& cloud, const volume::VolumeFacts& volume,
                          const Filling& filling) {
  const auto session = cloud.session();
  auto filled = [&]() -> Result<Filled> {
    fleet::PrewarmSpec spec;
    spec.launch.tags = helper_tags(volume.id);
    RUNCTL_TRY_LET(const auto plan, fleet::plan_prewarm(session, volume, spec));
    return carry_out_fill(context, cloud, *filling.s3, plan, filling.survey);
  }();
  if (!filled) {
    filled.error().details.push_back(fmt::format("volume {} was made, and exists", volume.id));
    return std::unexpected{std::move(filled).error()};
  }
  auto record = record_of(volume);
  record["pre_warm"] = std::move(filled->presentation.record);
  present(context, {.text = fmt::format("Created volume {}.\n{}{}", volume.id, text_of(volume),
                                        filled->presentation.text),
                    .record = std::move(record),
                    .id = volume.id.str()});
  return filled->code;
}

Result<ExitCode> create(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto spec, spec_from(arguments));
  const bool chooses_iops = !spec.iops && volume::default_iops(spec.type, spec.size).has_value();
  if (chooses_iops) spec.iops = volume::default_iops(spec.type, spec.size);
  if (auto wrong = volume::check_spec(spec)) return std::unexpected{*std::move(wrong)};
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  if (spec.zone.empty()) {
    RUNCTL_TRY_LET(spec.zone, volume::default_zone(session));
  }
  RUNCTL_TRY_LET(const auto filling, filling_from(arguments, context, spec));
  RUNCTL_TRY_LET(const auto steps, steps_of(spec, filling));
  if (chooses_iops) tell_default_iops(context, spec);
  if (context.globals.dry_run) return show_plan(context, steps);
  if (filling) {
    std::string question;
    for (const std::string& step : steps) question += fmt::format("- {}\n", step);
    RUNCTL_TRY(ask_consent(context, question + "Make the volume, and fill it?"));
  }

  RUNCTL_TRY_LET(const auto ready, make(*cloud, session, spec));
  if (ready.multi_attach) {
    context.log.write({.level = LogLevel::info,
                       .name = "volume.multi_attach",
                       .fields = {{.name = "volume", .value = ready.id.str()}}});
    note(context,
         "Multi-Attach: every machine that attaches it can read and write it, and ext4 and XFS do "
         "not\nsurvive two writers. runctl lets one machine have it at a time (runctl help "
         "multi-attach).");
  }
  if (filling) return fill_new(context, *cloud, ready, *filling);
  present(context, {.text = fmt::format("Created volume {}.\n{}", ready.id, text_of(ready)),
                    .record = record_of(ready),
                    .id = ready.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_create{.path = "aws ebs create",
                             .summary = "make an empty volume",
                             .positionals = {},
                             .options = options,
                             .danger = Danger::changes,
                             .run = create};

}  // namespace runctl::cli
