// runctl aws ebs pre-warm
#include "cli/ebs/pre_warm.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/s3/report.hpp"
#include "fleet/machine_price.hpp"
#include "volume/mount.hpp"
#include "volume/prices.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
    {.name = "S3URI", .help = "what is below it goes to the volume's root: s3://bucket/folder"},
}};
constexpr std::array<OptionSpec, 7> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "on which machine (default: the one that has it, or a temporary one)",
     .alias = "--instance-id"},
    {.name = "--seal", .help = "seal it when all is on it"},
    {.name = "--filesystem",
     .value = "ext4|xfs",
     .help = "make a filesystem first, on a volume that was created empty"},
    {.name = "--instance-type", .value = "TYPE", .help = "of the temporary machine (t3.medium)"},
    {.name = "--iam-instance-profile",
     .value = "NAME",
     .help = "of the temporary machine: with AmazonSSMManagedInstanceCore, so that SSM works"},
    {.name = "--subnet",
     .value = "SUBNET",
     .help = "of the temporary machine: in the volume's zone"},
    {.name = "--security-group", .value = "SG", .help = "of the temporary machine"},
}};

// What text shows of a list of objects; records have all.
constexpr std::size_t most_shown = 20;

std::string list_text(const std::vector<LeftObject>& objects, std::string_view verb) {
  std::string text;
  for (std::size_t i = 0; i < std::min(objects.size(), most_shown); ++i) {
    text += fmt::format("  {} {}: {}\n", verb, transfer::printable(objects[i].key), objects[i].why);
  }
  if (objects.size() > most_shown)
    text += fmt::format("  and {} more\n", objects.size() - most_shown);
  return text;
}

boost::json::array list_record(const std::vector<LeftObject>& objects) {
  boost::json::array list;
  for (const LeftObject& object : objects) {
    list.push_back(boost::json::object{{"key", for_json(object.key)}, {"reason", object.why}});
  }
  return list;
}

Result<fleet::PrewarmSpec> spec_from(const Arguments& arguments, const volume::Session& session) {
  fleet::PrewarmSpec spec{.seals = arguments.has("--seal")};
  RUNCTL_TRY_LET(spec.instance, find_named_instance(arguments, session));
  if (const auto filesystem = arguments.get("--filesystem")) {
    RUNCTL_TRY_LET(spec.filesystem, volume::parse_filesystem(*filesystem));
  }
  spec.launch.type = arguments.get("--instance-type").value_or(spec.launch.type);
  spec.launch.instance_profile = arguments.get("--iam-instance-profile").value_or("");
  spec.launch.subnet = arguments.get("--subnet").value_or("");
  if (auto group = arguments.get("--security-group")) {
    spec.launch.security_groups = {*std::move(group)};
  }
  return spec;
}

Presentation describe(const fleet::PrewarmPlan& plan, const Survey& survey,
                      const FillReport& report, const fleet::Prewarmed& done) {
  const VolumeId& id = plan.volume.id;
  const std::string source = transfer::to_text(survey.source);
  std::string text = fmt::format("Volume {} has {} from {}: {} downloaded ({}), {} there before.\n",
                                 id, objects_in_words(report.files + report.already), source,
                                 report.files, bytes_in_words(report.bytes), report.already);
  text += list_text(report.failed, "failed:");
  text += list_text(survey.refused, "left out:");
  if (!report.failed.empty()) {
    if (!report.said.empty()) text += fmt::format("The machine said: {}\n", report.said);
    text += fmt::format("To go on where it was: runctl aws ebs pre-warm {} {}\n", id, source);
  }
  if (done.sealed) {
    text += fmt::format("It is sealed: {}, {}; manifest sha256:{}.\n",
                        files_in_words(done.sealed->manifest.files),
                        bytes_in_words(done.sealed->manifest.bytes), done.sealed->manifest.digest);
  } else if (plan.seals) {
    text += fmt::format(
        "It is not sealed, since not all is on it. To seal it as it is: runctl aws "
        "ebs seal {}\n",
        id);
  }
  if (!plan.machine) {
    text += fmt::format("The temporary instance {} is terminated.\n", done.machine);
  } else if (plan.attaches) {
    text += fmt::format("It is detached from instance {} again.\n", done.machine);
  } else if (!plan.mounts) {
    text += fmt::format("It is mounted on instance {} at {}, as before.\n", done.machine,
                        plan.mount.directory);
  }
  boost::json::object record{{"volume_id", id.str()},
                             {"source", source},
                             {"instance_id", done.machine.str()},
                             {"temporary_instance", !plan.machine},
                             {"files", report.files},
                             {"bytes", report.bytes},
                             {"already", report.already},
                             {"failed_count", report.failed.size()},
                             {"failed", list_record(report.failed)},
                             {"left_out", list_record(survey.refused)},
                             {"sealed", done.sealed.has_value()}};
  if (done.sealed) record["manifest"] = done.sealed->manifest.digest;
  return {.text = std::move(text), .record = std::move(record), .id = id.str()};
}

// What the errors of a machine mean here.
void explain(Error& error, const fleet::PrewarmPlan& plan) {
  const std::string code = error.remote ? error.remote->code : "";
  if (code == "no_filesystem" && !plan.mount.format) {
    error.hint = "A volume that was created empty gets one with --filesystem ext4 (or xfs).";
  } else if (code == "no_space") {
    error.hint = "Make the volume larger, or choose less; what was downloaded before stays.";
    error.ways_out.push_back(
        fmt::format("runctl aws ebs modify {} --size {}", plan.volume.id,
                    plan.volume.size.count + std::max(1U, plan.volume.size.count / 5)));
  } else if (code == "no_downloader") {
    error.hint = "Install curl there, or name another machine with --instance.";
  }
}

Result<ExitCode> pre_warm(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto source, transfer::parse_s3_uri(arguments.positional("S3URI")));
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(auto spec, spec_from(arguments, session));
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  spec.launch.tags = helper_tags(volume.id);
  RUNCTL_TRY_LET(const auto plan, fleet::plan_prewarm(session, volume, spec));
  RUNCTL_TRY_LET(const auto s3, connect_s3(context, {}));
  RUNCTL_TRY_LET(const auto found, survey(*s3, source));
  RUNCTL_TRY(check_room(found, volume.size, fmt::format("volume {}", label_of(volume))));
  const auto steps = fill_steps(plan, found, fmt::format("volume {}", label_of(volume)));
  if (context.globals.dry_run) return show_plan(context, steps);
  std::string question;
  for (const std::string& step : steps) question += fmt::format("- {}\n", step);
  RUNCTL_TRY(ask_consent(context, question + fmt::format("Fill volume {}?", label_of(volume))));
  RUNCTL_TRY_LET(const auto filled, carry_out_fill(context, *cloud, *s3, plan, found));
  present(context, filled.presentation);
  return filled.code;
}

}  // namespace

volume::Tags helper_tags(const VolumeId& volume) {
  return {{std::string{volume::tag::name}, fmt::format("runctl-pre-warm-{}", volume)},
          {"runctl:temporary", fmt::format("pre-warm of {}", volume)}};
}

std::vector<std::string> fill_steps(const fleet::PrewarmPlan& plan, const Survey& survey,
                                    std::string_view volume) {
  std::vector<std::string> steps;
  if (!plan.machine) {
    const auto price = fleet::list_price(plan.launch.type);
    steps.push_back(fmt::format(
        "rent a temporary {} instance in {}{}", plan.launch.type, plan.launch.zone,
        price ? fmt::format(" (about {} an hour, for as long as it takes)", volume::dollars(*price))
              : " (it costs money for as long as it takes)"));
  }
  const std::string where =
      plan.machine ? fmt::format("instance {}", plan.machine->id) : std::string{"it"};
  if (plan.attaches) steps.push_back(fmt::format("attach {} to {}", volume, where));
  if (plan.mounts && plan.mount.format) {
    steps.push_back(fmt::format("make a filesystem ({}) on it, if it is blank",
                                volume::name_of(*plan.mount.format)));
  }
  if (plan.mounts) steps.emplace_back("mount it there");
  steps.push_back(
      fmt::format("download {} ({}) from {} to it; files of the same names are replaced",
                  objects_in_words(survey.objects), bytes_in_words(survey.bytes),
                  transfer::to_text(survey.source)));
  if (!survey.refused.empty()) {
    steps.push_back(fmt::format("leave out {} whose names cannot be files' names",
                                objects_in_words(survey.refused.size())));
  }
  if (plan.mounts) steps.emplace_back("unmount it");
  if (plan.seals) steps.emplace_back("seal it, if all is on it");
  if (plan.attaches) steps.emplace_back("detach it");
  if (!plan.machine) steps.emplace_back("terminate the temporary instance");
  return steps;
}

Result<Filled> carry_out_fill(Context& context, Cloud& cloud, S3Session& s3,
                              const fleet::PrewarmPlan& plan, const Survey& survey) {
  const auto session = cloud.session();
  FillReport report;
  const fleet::Fill work = [&](const volume::Change& change,
                               const InstanceId& machine) -> Result<fleet::Filling> {
    RUNCTL_TRY(fill(s3, change.session, {.machine = machine, .place = {.volume = plan.volume.id}},
                    survey, report));
    const bool complete = report.failed.empty() && survey.refused.empty();
    return complete ? fleet::Filling::complete : fleet::Filling::partial;
  };
  OperationSpec operation{.kind = "pre-warm",
                          .subjects = {plan.volume.id.str()},
                          .plan = fleet::plan_of(plan, transfer::to_text(survey.source))};
  if (plan.machine) operation.subjects.push_back(plan.machine->id.str());
  auto done = cloud.carry_out(session, std::move(operation), [&](const volume::Change& change) {
    return fleet::execute_prewarm(change, plan, work);
  });
  if (!done) {
    Error& error = done.error();
    explain(error, plan);
    if (report.files > 0) {
      error.details.push_back(fmt::format(
          "{} ({}) had been downloaded to volume {}, and stay there",
          objects_in_words(report.files), bytes_in_words(report.bytes), plan.volume.id));
    }
    error.ways_out.push_back(fmt::format("runctl aws ebs pre-warm {} {}   # goes on where it was",
                                         plan.volume.id, transfer::to_text(survey.source)));
    return std::unexpected{std::move(error)};
  }
  context.log.write({.level = LogLevel::info,
                     .name = "volume.filled",
                     .fields = {{.name = "volume", .value = plan.volume.id.str()},
                                {.name = "files", .value = std::to_string(report.files)}}});
  const bool complete = done->filling == fleet::Filling::complete;
  return Filled{.presentation = describe(plan, survey, report, *done),
                .code = complete ? ExitCode::ok : ExitCode::partial};
}

const CommandSpec ebs_pre_warm{.path = "aws ebs pre-warm",
                               .summary = "fill a volume with what is below a folder of S3",
                               .positionals = positionals,
                               .options = options,
                               .danger = Danger::changes,
                               .run = pre_warm};

}  // namespace runctl::cli
