#include "training/train.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "node/place_code.hpp"
#include "training/command_line.hpp"
#include "training/local.hpp"
#include "training/packages.hpp"
#include "training/resume_point.hpp"
#include "volume/mount.hpp"
#include "volume/place.hpp"

namespace runctl::training {
namespace {

using volume::Change;
using volume::Session;
using volume::VolumeFacts;

constexpr std::chrono::seconds script_patience{60};

node::Machine machine_of(const Session& session, const InstanceId& instance) {
  return {.shell = session.shell,
          .instance = instance,
          .timeout = script_patience,
          .stop = session.stop};
}

// The directory by which the machine's processes find the volume, after whatever had to be done for
// it. One that is mounted stays where it is. The instance learns what it has got, so that the next
// volume gets another name.
Result<std::string> make_ready(const Change& change, const VolumeFacts& volume,
                               volume::InstanceFacts& instance) {
  const Session& session = change.session;
  volume::MountSpec mount{.directory = volume::default_mount_point(volume)};
  if (volume::attachment_to(volume, instance.id) != nullptr) {
    RUNCTL_TRY_LET(const auto mounted, volume::mounted_at(session, volume.id, instance.id));
    if (mounted) mount.directory = *mounted;
  }
  auto placed = volume::place(change, volume, instance, {.mount = mount});
  if (placed) {
    if (!placed->already_attached) {
      instance.devices.push_back({.device = placed->device, .volume = volume.id});
    }
    return placed->mounted->path;
  }
  Error& error = placed.error();
  if (error.remote && error.remote->code == "no_filesystem") {
    error.hint = "Make one first:";
    error.ways_out = {fmt::format("runctl aws ebs attach {} --instance {} --mount {} --format ext4",
                                  volume.id, instance.id, mount.directory)};
  }
  return std::unexpected{std::move(error)};
}

struct Directories {
  std::string data = {};
  std::string checkpoints = {};
  std::string output = {};
};

Result<Directories> prepare_volumes(const Change& change, const TrainSpec& spec) {
  Directories directories;
  volume::InstanceFacts instance = spec.instance;
  if (spec.data_volume) {
    RUNCTL_TRY_LET(directories.data, make_ready(change, *spec.data_volume, instance));
  }
  if (spec.checkpoint_volume) {
    const bool same = spec.data_volume && spec.data_volume->id == spec.checkpoint_volume->id;
    std::string path = directories.data;
    if (!same) {
      RUNCTL_TRY_LET(path, make_ready(change, *spec.checkpoint_volume, instance));
    }
    directories.checkpoints = path + "/checkpoints";
    directories.output = path + "/output";
  }
  return directories;
}

node::InterruptionWatch watch_of(const TrainSpec& spec) {
  node::InterruptionWatch watch{.volumes = {}, .hook = spec.interruption_hook};
  // What cannot be had again comes first, should the time not do for both.
  for (const VolumeFacts& volume : volumes_of(spec))
    watch.volumes.insert(watch.volumes.begin(), volume.id);
  return watch;
}

void give_variables(node::RunSpec& run, const TrainSpec& spec, const Directories& directories) {
  for (const auto& [name, value] : {std::pair{"RUNCTL_DATA_DIR", directories.data},
                                    std::pair{"RUNCTL_OUTPUT_DIR", directories.output},
                                    std::pair{"RUNCTL_GIT_COMMIT", spec.code.commit}}) {
    if (!value.empty()) run.environment.push_back({.name = name, .value = value});
  }
}

Result<void> give_upload(node::RunSpec& run, const TrainSpec& spec, const std::string& output) {
  if (!spec.upload) return {};
  RUNCTL_TRY_LET(run.upload, spec.upload->sign(run.id));
  run.upload->output_directory = output;
  return {};
}

}  // namespace

std::vector<VolumeFacts> volumes_of(const TrainSpec& spec) {
  std::vector<VolumeFacts> volumes;
  for (const auto* volume : {&spec.data_volume, &spec.checkpoint_volume}) {
    const bool is_new = *volume && (volumes.empty() || volumes.front().id != (*volume)->id);
    if (is_new) volumes.push_back(**volume);
  }
  return volumes;
}

Result<std::optional<node::RunPackages>> find_packages(const TrainSpec& spec,
                                                       const node::RunId& run) {
  const auto is_sent = [&](std::string_view path) {
    const auto found = std::ranges::lower_bound(spec.code.entries, path, {}, &CodeEntry::path);
    return found != spec.code.entries.end() && found->path == path;
  };
  return find_packages(spec.code.root, run, {.source = spec.packages, .is_sent = is_sent});
}

Result<Started> start(const Change& change, TrainSpec& spec, const SyncSettings& settings) {
  const Session& session = change.session;
  if (spec.instance.state != volume::InstanceState::running) {
    auto off = fail(Errc::conflict, fmt::format("instance {} is '{}'", spec.instance.id,
                                                volume::name_of(spec.instance.state)));
    off.error().hint = fmt::format("Wait until it runs: runctl aws wait {}", spec.instance.id);
    return off;
  }
  RUNCTL_TRY_LET(auto run, new_run_id(session.clock, session.random));
  RUNCTL_TRY_LET(auto packages, find_packages(spec, run));
  const auto argv = command_line(spec.code.root.script, spec.arguments);
  if (spec.upload) RUNCTL_TRY(spec.upload->prepare(run, argv));
  RUNCTL_TRY_LET(auto directories, prepare_volumes(change, spec));
  std::optional<ResumePoint> point;
  if (spec.resume == Resume::yes && spec.checkpoint_volume) {
    RUNCTL_TRY_LET(point,
                   resume_point_on_machine(session, spec.instance.id, spec.checkpoint_volume->id,
                                           directories.checkpoints));
  }
  if (spec.stage) {
    RUNCTL_TRY_LET(directories.data, spec.stage(change, spec.instance.id, spec.data_volume));
  }
  RUNCTL_TRY_LET(auto code,
                 sync_code(machine_of(session, spec.instance.id), spec.code, run, settings));
  node::RunSpec run_spec{.id = std::move(run),
                         .argv = argv,
                         .working_directory = code.path,
                         .checkpoint_directory = directories.checkpoints,
                         .packages = std::move(packages),
                         .git_commit = spec.code.commit};
  if (spec.instance.lifecycle == "spot") run_spec.watch = watch_of(spec);
  if (point) give_to(run_spec, *point);
  give_variables(run_spec, spec, directories);
  RUNCTL_TRY(give_upload(run_spec, spec, directories.output));
  session.progress("starting the run");
  // By its id `runctl runs` finds the machine that it is on.
  change.recorder.add_subject(run_spec.id.str());
  // What is uploaded from the machine's own disk has to be asked for before the machine goes.
  const bool only_here = run_spec.upload && directories.checkpoints.empty();
  auto started = on_machine(
      change, "start-run",
      {{"instance", spec.instance.id.str()}, {"run", run_spec.id.str()}, {"only_here", only_here}},
      [&]() { return node::start_run(machine_of(session, spec.instance.id), run_spec); });
  if (!started) {
    explain_refusal(started.error(), fmt::format(" --instance {}", spec.instance.id));
    // Nothing ran, and nothing will in its copy of the code; if it stays, it is some space on a
    // disk.
    if (started.error().effect == Effect::not_applied)
      (void)node::discard_code(machine_of(session, spec.instance.id), run_spec.id);
    return std::unexpected{std::move(started).error()};
  }
  return Started{
      .run = *std::move(started), .code = std::move(code), .resume_point = std::move(point)};
}

}  // namespace runctl::training
