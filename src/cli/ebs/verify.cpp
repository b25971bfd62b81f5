// runctl aws ebs verify|warm: reading all of a volume, on its machine
#include <array>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "node/manifest.hpp"
#include "node/warm.hpp"
#include "volume/job_watch.hpp"
#include "volume/machine.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> options{{
    {.name = "--instance",
     .value = "INSTANCE",
     .help = "on which machine, when several have it",
     .alias = "--instance-id"},
}};
// For one question about the job; the job itself takes as long as it takes.
constexpr std::chrono::seconds question_patience{60};

Presentation describe(const volume::VolumeFacts& volume, const InstanceId& instance,
                      const node::Verification& found) {
  std::string text = fmt::format(
      "Volume {} on {}: {}, {}, {}.\n", volume.id, instance, files_in_words(found.files),
      bytes_in_words(found.bytes),
      found.intact ? "all as its manifest says"
                   : fmt::format("{} not as its manifest says", found.difference_count));
  boost::json::array differences;
  for (const std::string& difference : found.differences) {
    text += fmt::format("  {}\n", difference);
    differences.emplace_back(difference);
  }
  if (found.difference_count > found.differences.size()) {
    text += fmt::format("  and {} more\n", found.difference_count - found.differences.size());
  }
  const bool vouched = volume.tags.contains(volume::tag::manifest);
  if (!vouched) {
    text += "The manifest is vouched for by no tag of the volume: it is compared as it is found.\n";
  }
  return {.text = std::move(text),
          .record = {{"volume_id", volume.id.str()},
                     {"instance_id", instance.str()},
                     {"intact", found.intact},
                     {"files", found.files},
                     {"bytes", found.bytes},
                     {"manifest", found.digest},
                     {"manifest_vouched", vouched},
                     {"difference_count", found.difference_count},
                     {"differences", std::move(differences)}},
          .id = volume.id.str()};
}

Result<ExitCode> verify(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto holder, find_holder(arguments, session, volume, "verified"));
  const InstanceId& instance = holder.instance.id;
  auto found =
      node::verify_manifest(volume::machine_of(session, instance, question_patience), volume.id,
                            volume::tag_value(volume.tags, volume::tag::manifest),
                            volume::watch_of(session, fmt::format("reading {}", volume.id)));
  if (!found) {
    Error& error = found.error();
    if (error.remote && error.remote->code == "no_manifest") {
      error.hint = fmt::format("It gets one when it is sealed: runctl aws ebs seal {}", volume.id);
      error.section = "EBS_CONCURRENT_ACCESS.md#sealed-volumes";
    }
    return std::unexpected{std::move(error)};
  }
  present(context, describe(volume, instance, *found));
  return found->intact ? ExitCode::ok : ExitCode::failure;
}

Result<ExitCode> warm(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  RUNCTL_TRY_LET(const auto holder, find_holder(arguments, session, volume, "read"));
  const InstanceId& instance = holder.instance.id;
  RUNCTL_TRY_LET(const auto warmed,
                 node::warm(volume::machine_of(session, instance, question_patience), volume.id,
                            volume::watch_of(session, fmt::format("reading {}", volume.id))));
  const double rate = warmed.seconds > 0 ? static_cast<double>(warmed.bytes) / warmed.seconds : 0;
  std::string text = fmt::format("Read every block of volume {} on {}: {} in {:.1f} s, {}/s.\n",
                                 volume.id, instance, bytes_in_words(warmed.bytes), warmed.seconds,
                                 bytes_in_words(static_cast<std::uint64_t>(rate)));
  if (!warmed.why.empty()) {
    text += fmt::format("It was read with {}, which is slower than runctl's own program: {}.\n",
                        warmed.reader, warmed.why);
  }
  present(context, {.text = std::move(text),
                    .record = {{"volume_id", volume.id.str()},
                               {"instance_id", instance.str()},
                               {"bytes", warmed.bytes},
                               {"seconds", warmed.seconds},
                               {"reader", warmed.reader}},
                    .id = volume.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_verify{.path = "aws ebs verify",
                             .summary = "compare a volume with its manifest",
                             .positionals = positionals,
                             .options = options,
                             .run = verify};
const CommandSpec ebs_warm{.path = "aws ebs warm",
                           .summary = "read every block once, so that later reads are fast",
                           .positionals = positionals,
                           .options = options,
                           .run = warm};

}  // namespace runctl::cli
