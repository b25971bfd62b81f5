#include "fleet/data_volumes.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "volume/detach.hpp"
#include "volume/machine.hpp"

namespace runctl::fleet {
namespace {

constexpr std::chrono::seconds question_patience{60};

}  // namespace

Result<PowerFacts> read_power_facts(const volume::Session& session,
                                    const volume::InstanceFacts& instance) {
  PowerFacts facts{.instance = instance};
  if (instance.state == volume::InstanceState::running) {
    RUNCTL_TRY_LET(facts.agent_online, session.shell.is_reachable(instance.id, session.stop));
  }
  if (!facts.agent_online) return facts;
  auto runs = node::unfinished_runs(volume::machine_of(session, instance.id, question_patience));
  facts.runs_are_known = runs.has_value();
  if (runs) facts.runs = *std::move(runs);
  return facts;
}

std::vector<std::string> words_of(const std::vector<node::UnfinishedRun>& runs) {
  std::vector<std::string> words;
  words.reserve(runs.size());
  for (const auto& run : runs) {
    if (run.is_running) {
      words.push_back(fmt::format("end run {}, which is running", run.id.str()));
    } else {
      words.push_back(
          fmt::format("end the upload of what run {} has written: {}", run.id.str(),
                      run.is_only_here ? "the rest is lost" : "the rest is on its volume alone"));
    }
  }
  return words;
}

std::vector<volume::DeviceMapping> data_volumes_of(const volume::InstanceFacts& instance) {
  std::vector<volume::DeviceMapping> found;
  for (const auto& device : instance.devices) {
    if (device.device != instance.root_device) found.push_back(device);
  }
  return found;
}

Error unreachable(const volume::InstanceFacts& instance, std::string_view verb) {
  Error error{
      .code = Errc::conflict,
      .message = fmt::format("Instance {} holds data volumes and cannot be reached.", instance.id),
      .hint =
          "What it has mounted and not yet written would be lost; its SSM agent does "
          "not answer.",
      .section = "EBS_CONCURRENT_ACCESS.md#terminating-a-machine"};
  for (const auto& device : data_volumes_of(instance)) {
    error.ways_out.push_back(fmt::format("runctl aws ebs snapshot {}", device.volume));
  }
  error.ways_out.push_back(
      fmt::format("runctl aws {} {} --unsafe-skip-unmount   # what was not written is lost", verb,
                  instance.id));
  return error;
}

Result<void> quiesce_all(const volume::Change& change, const InstanceId& instance,
                         const std::vector<volume::DeviceMapping>& data_volumes) {
  for (const auto& device : data_volumes) {
    change.session.progress(fmt::format("unmounting {} on {}", device.volume, instance));
    RUNCTL_TRY(volume::quiesce(change, device.volume, instance));
  }
  return {};
}

}  // namespace runctl::fleet
