// runctl aws ebs seal|unseal
#include "volume/seal.hpp"

#include <array>

#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/holder.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};

ExitCode say_already(Context& context, const volume::VolumeFacts& volume, std::string_view state) {
  present(
      context,
      {.text = fmt::format("Volume {} is {} already.\n", volume.id, state),
       .record = {{"volume_id", volume.id.str()}, {"sealed", state == "sealed"}, {"already", true}},
       .id = volume.id.str()});
  return ExitCode::ok;
}

Presentation describe(const volume::VolumeFacts& volume, const volume::Sealed& sealed) {
  const auto& manifest = sealed.manifest;
  std::string text = fmt::format(
      "Volume {} is sealed: {}, {}; manifest sha256:{}.\nFrom now on it is read-only on "
      "every "
      "machine that runctl attaches it to.\n",
      volume.id, files_in_words(manifest.files), bytes_in_words(manifest.bytes), manifest.digest);
  if (sealed.mounted_at) {
    text += fmt::format("It is mounted at {} again, read-only.\n", *sealed.mounted_at);
  }
  if (volume.multi_attach) {
    text += fmt::format("More readers: runctl aws ebs attach {} --instance INSTANCE --mount DIR\n",
                        volume.id);
  }
  boost::json::object record{
      {"volume_id", volume.id.str()}, {"sealed", true},          {"already", false},
      {"manifest", manifest.digest},  {"files", manifest.files}, {"bytes", manifest.bytes}};
  if (sealed.mounted_at) record["mount_point"] = *sealed.mounted_at;
  return {.text = std::move(text), .record = std::move(record), .id = volume.id.str()};
}

Result<ExitCode> seal(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  auto plan = volume::plan_seal(volume);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_sealed) return say_already(context, volume, "sealed");
  RUNCTL_TRY_LET(const auto holder,
                 volume::reachable_holder(session, volume, std::nullopt, "sealed"));
  const auto& instance = holder.instance;
  if (context.globals.dry_run) {
    return show_plan(
        context, {fmt::format("unmount volume {} on {}, unless something uses it", label_of(volume),
                              instance.id),
                  "read all of it where no other process sees it, and write its manifest",
                  "mark it as sealed: read-only on every machine from then on",
                  "mount it again, read-only, where it was mounted"});
  }
  RUNCTL_TRY_LET(
      const auto sealed,
      cloud->carry_out(session, {.kind = "seal", .subjects = {volume.id.str(), instance.id.str()}},
                       [&](const volume::Change& change) {
                         return volume::execute_seal(change, volume, instance);
                       }));
  context.log.write({.level = LogLevel::info,
                     .name = "volume.sealed",
                     .fields = {{.name = "volume", .value = volume.id.str()},
                                {.name = "manifest", .value = sealed.manifest.digest}}});
  present(context, describe(volume, sealed));
  return ExitCode::ok;
}

Result<ExitCode> unseal(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  auto plan = volume::plan_unseal(volume);
  if (plan.refusal) return std::unexpected{*std::move(plan.refusal)};
  if (plan.already_unsealed) return say_already(context, volume, "not sealed");
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("let volume {} be written again; its manifest no longer "
                                           "counts",
                                           label_of(volume))});
  }
  RUNCTL_TRY(ask_consent(context, fmt::format("Let volume {} be written again? Its manifest no "
                                              "longer counts then.",
                                              label_of(volume))));
  RUNCTL_TRY(cloud->carry_out(
      session, {.kind = "unseal", .subjects = {volume.id.str()}},
      [&](const volume::Change& change) { return volume::execute_unseal(change, volume); }));
  present(
      context,
      {.text = fmt::format("Volume {} is exclusive again: one machine, read-write.\n", volume.id),
       .record = {{"volume_id", volume.id.str()}, {"sealed", false}, {"already", false}},
       .id = volume.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_seal{.path = "aws ebs seal",
                           .summary = "make a dataset read-only everywhere, with checksums",
                           .positionals = positionals,
                           .options = {},
                           .danger = Danger::changes,
                           .run = seal};
const CommandSpec ebs_unseal{.path = "aws ebs unseal",
                             .summary = "let a sealed volume be written again",
                             .positionals = positionals,
                             .options = {},
                             .danger = Danger::destroys,
                             .run = unseal};

}  // namespace runctl::cli
