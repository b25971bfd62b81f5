#include "fleet/judge.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/spot_request.hpp"
#include "base/json.hpp"
#include "node/run.hpp"
#include "volume/change.hpp"
#include "volume/machine.hpp"
#include "volume/modify.hpp"
#include "volume/mount.hpp"
#include "volume/plan_attach.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::fleet {
namespace {

using journal::Step;
using volume::Session;
using volume::VolumeFacts;

constexpr std::chrono::seconds script_patience{60};

struct Asked {
  const Session& session;
  const Step& step;
  boost::json::value request;

  // Errors: corrupt when the step's request lacks it.
  [[nodiscard]] Result<std::string> text(std::string_view name) const {
    if (auto found = string_at(request, name)) return *std::move(found);
    return fail(Errc::corrupt, fmt::format("the journal's {} has no {}", step.action, name));
  }
  [[nodiscard]] Result<VolumeId> volume(std::string_view name) const {
    RUNCTL_TRY_LET(const auto id, text(name));
    return VolumeId::parse(id);
  }
  [[nodiscard]] Result<InstanceId> instance(std::string_view name) const {
    RUNCTL_TRY_LET(const auto id, text(name));
    return InstanceId::parse(id);
  }
};

Finding applied(std::string words, std::vector<std::string> subjects = {}) {
  return {.verdict = Verdict::applied, .words = std::move(words), .subjects = std::move(subjects)};
}

Finding not_applied(std::string words) {
  return {.verdict = Verdict::not_applied, .words = std::move(words)};
}

// Nothing is to be seen of it: that is the end only once the request can no longer act.
Finding nothing_seen(const Asked& asked, std::string words) {
  const bool over = asked.session.clock.now() - asked.step.sent > request_life;
  return {.verdict = over ? Verdict::not_applied : Verdict::still_open, .words = std::move(words)};
}

// Nothing when EC2 does not know the volume.
Result<std::optional<VolumeFacts>> agreed_volume(const Session& session, const VolumeId& id) {
  return volume::wait_until_agreed<std::optional<VolumeFacts>>(
      session, {.budget = std::chrono::seconds{30}},
      fmt::format("three reads of volume {} to agree", id),
      [&]() -> Result<std::optional<std::optional<VolumeFacts>>> {
        auto seen = volume::read_volume(session.aws, id, session.options());
        if (seen) return std::optional{std::optional{*std::move(seen)}};
        if (seen.error().code != Errc::not_found) return std::unexpected{std::move(seen).error()};
        return std::optional{std::optional<VolumeFacts>{}};
      });
}

std::string held_in_words(const volume::AttachmentFacts& attachment) {
  return fmt::format("it is {} to {} as {}", name_of(attachment.state), attachment.instance,
                     attachment.device);
}

Result<Finding> judge_attach(const Asked& asked) {
  RUNCTL_TRY_LET(const auto id, asked.volume("VolumeId"));
  RUNCTL_TRY_LET(const auto instance, asked.instance("InstanceId"));
  RUNCTL_TRY_LET(const auto device, asked.text("Device"));
  RUNCTL_TRY_LET(const auto seen, agreed_volume(asked.session, id));
  if (!seen) return not_applied(fmt::format("there is no volume {} any more", id));
  switch (volume::classify_attach(*seen, instance, device)) {
    case volume::AttachOutcome::ours:
      return applied(held_in_words(*volume::attachment_to(*seen, instance)));
    case volume::AttachOutcome::other_name:
    case volume::AttachOutcome::lost:
      return not_applied(held_in_words(seen->attachments.front()));
    case volume::AttachOutcome::not_yet:
      return nothing_seen(asked, fmt::format("nobody has volume {}", id));
  }
  std::unreachable();
}

Result<Finding> judge_detach(const Asked& asked) {
  RUNCTL_TRY_LET(const auto id, asked.volume("VolumeId"));
  RUNCTL_TRY_LET(const auto instance, asked.instance("InstanceId"));
  RUNCTL_TRY_LET(const auto seen, agreed_volume(asked.session, id));
  if (!seen) return applied(fmt::format("there is no volume {} any more", id));
  const auto* here = volume::attachment_to(*seen, instance);
  if (here == nullptr) return applied(fmt::format("instance {} does not have it", instance));
  const bool under_way = here->state == volume::AttachmentState::detaching ||
                         here->state == volume::AttachmentState::busy;
  if (under_way) return applied(held_in_words(*here));
  return nothing_seen(asked, held_in_words(*here));
}

Result<Finding> judge_delete(const Asked& asked) {
  RUNCTL_TRY_LET(const auto id, asked.volume("VolumeId"));
  RUNCTL_TRY_LET(const auto seen, agreed_volume(asked.session, id));
  const bool gone = !seen || seen->state == volume::VolumeState::deleting ||
                    seen->state == volume::VolumeState::deleted;
  if (gone) return applied(fmt::format("volume {} is gone", id));
  return nothing_seen(asked, fmt::format("volume {} is still there", id));
}

// What carries the tag that the request gave to whatever it makes. `list` is one of volume/read's.
template <class List>
Result<Finding> judge_by_tag(const Asked& asked, const std::string& operation, const List& list,
                             std::string_view what) {
  RUNCTL_TRY_LET(
      const auto found,
      list(asked.session.aws,
           {{.name = fmt::format("tag:{}", volume::tag::operation), .values = {operation}}},
           asked.session.options()));
  if (found.empty()) return nothing_seen(asked, fmt::format("there is no such {}", what));
  std::vector<std::string> ids;
  std::string words = fmt::format("{} ", what);
  for (const auto& each : found) {
    words += fmt::format("{}{} ({})", ids.empty() ? "" : ", ", each.id, name_of(each.state));
    ids.push_back(each.id.str());
  }
  return applied(words + " was made", std::move(ids));
}

Result<Finding> judge_create_volume(const Asked& asked) {
  RUNCTL_TRY_LET(const auto token, asked.text("ClientToken"));
  return judge_by_tag(asked, token, volume::list_volumes, "volume");
}

Result<Finding> judge_run_instances(const Asked& asked) {
  RUNCTL_TRY_LET(const auto token, asked.text("ClientToken"));
  return judge_by_tag(asked, token, volume::list_instances, "instance");
}

// The value of runctl:operation among the tags that the request gives.
std::string operation_tag(const boost::json::value& request) {
  const auto* const specifications = array_at(request, "TagSpecifications");
  if (specifications == nullptr) return {};
  for (const auto& specification : *specifications) {
    const auto* const tags = array_at(specification, "Tags");
    if (tags == nullptr) continue;
    for (const auto& each : *tags) {
      if (string_at(each, "Key") == volume::tag::operation)
        return string_at(each, "Value").value_or("");
    }
  }
  return {};
}

Result<Finding> judge_create_snapshot(const Asked& asked) {
  return judge_by_tag(asked, operation_tag(asked.request), volume::list_snapshots, "snapshot");
}

Result<Finding> judge_cancel_spot(const Asked& asked) {
  const auto* const ids = array_at(asked.request, "SpotInstanceRequestIds");
  if (ids == nullptr || ids->empty() || !ids->front().is_string()) {
    return fail(Errc::corrupt, "the journal's CancelSpotInstanceRequests names no request");
  }
  const std::string id{ids->front().get_string()};
  const auto seen = asked.session.aws.call<aws::ec2::DescribeSpotInstanceRequests>(
      {.spot_instance_request_ids = {id}}, asked.session.options());
  if (!seen && seen.error().code == Errc::not_found) {
    return applied(fmt::format("spot request {} is gone", id));
  }
  if (!seen) return std::unexpected{seen.error()};
  if (seen->spot_instance_requests.empty()) return applied(fmt::format("{} is gone", id));
  const std::string& state = seen->spot_instance_requests.front().state;
  std::string words = fmt::format("spot request {} is '{}'", id, state);
  const bool over = state == "cancelled" || state == "closed" || state == "failed";
  return over ? applied(std::move(words)) : nothing_seen(asked, std::move(words));
}

// Terminate, stop and start: `done` says of a state whether the request led to it.
Result<Finding> judge_instance(const Asked& asked, bool (*done)(volume::InstanceState)) {
  const auto* const ids = array_at(asked.request, "InstanceIds");
  if (ids == nullptr || ids->empty() || !ids->front().is_string()) {
    return fail(Errc::corrupt,
                fmt::format("the journal's {} names no instance", asked.step.action));
  }
  RUNCTL_TRY_LET(const auto id, InstanceId::parse(ids->front().get_string()));
  const auto seen = volume::read_instance(asked.session.aws, id, asked.session.options());
  if (!seen && seen.error().code == Errc::not_found) {
    return applied(fmt::format("instance {} is gone", id));
  }
  if (!seen) return std::unexpected{seen.error()};
  std::string words = fmt::format("instance {} is '{}'", id, name_of(seen->state));
  return done(seen->state) ? applied(std::move(words)) : nothing_seen(asked, std::move(words));
}

using volume::InstanceState;

Result<Finding> judge_terminate(const Asked& asked) {
  return judge_instance(asked, [](InstanceState state) {
    return state == InstanceState::shutting_down || state == InstanceState::terminated;
  });
}

Result<Finding> judge_stop(const Asked& asked) {
  return judge_instance(asked, [](InstanceState state) {
    return state == InstanceState::stopping || state == InstanceState::stopped;
  });
}

Result<Finding> judge_start(const Asked& asked) {
  return judge_instance(asked, [](InstanceState state) {
    return state == InstanceState::pending || state == InstanceState::running;
  });
}

Result<Finding> judge_mount(const Asked& asked) {
  RUNCTL_TRY_LET(const auto id, asked.volume("volume"));
  RUNCTL_TRY_LET(const auto instance, asked.instance("instance"));
  RUNCTL_TRY_LET(const auto path, volume::mounted_at(asked.session, id, instance));
  if (path) return applied(fmt::format("{} has it mounted at {}", instance, *path));
  return not_applied(fmt::format("{} does not have it mounted", instance));
}

Result<Finding> judge_unmount(const Asked& asked) {
  RUNCTL_TRY_LET(Finding finding, judge_mount(asked));
  finding.verdict = finding.verdict == Verdict::applied ? Verdict::not_applied : Verdict::applied;
  return finding;
}

// Made under an identifier chosen before: a second try recognises the first one's work.
Result<Finding> judge_format(const Asked&) {
  return not_applied("whether the filesystem was made shows when it is mounted");
}

Result<Finding> judge_start_run(const Asked& asked) {
  RUNCTL_TRY_LET(const auto instance, asked.instance("instance"));
  RUNCTL_TRY_LET(const auto name, asked.text("run"));
  RUNCTL_TRY_LET(const auto run, node::RunId::parse(name));
  const auto machine = volume::machine_of(asked.session, instance, script_patience);
  const auto status = node::run_status(machine, run, 0);
  if (status) {
    return applied(fmt::format("run {} on {}: {}", name, instance, name_of(status->run.state)));
  }
  // Its agent may still be about to carry it out.
  const bool unknown = status.error().remote && status.error().remote->code == "no_run";
  if (unknown) return nothing_seen(asked, fmt::format("{} knows no run {}", instance, name));
  return std::unexpected{status.error()};
}

Result<Finding> judge_stop_run(const Asked& asked) {
  RUNCTL_TRY_LET(const auto instance, asked.instance("instance"));
  RUNCTL_TRY_LET(const auto name, asked.text("run"));
  RUNCTL_TRY_LET(const auto run, node::RunId::parse(name));
  const auto machine = volume::machine_of(asked.session, instance, script_patience);
  RUNCTL_TRY_LET(const auto status, node::run_status(machine, run, 0));
  const std::string words =
      fmt::format("run {} on {}: {}", name, instance, name_of(status.run.state));
  return status.run.state == node::RunState::running
             ? not_applied(fmt::format("{}; to stop it: runctl runs stop {}", words, name))
             : applied(words);
}

// Tags are set again without harm, so that it matters little whether they were.
Result<Finding> judge_tags(const Asked&) {
  return not_applied("whether the tags were changed is not known; set them again to be sure");
}

// A newest modification that ends in what was asked for is taken for ours.
Result<Finding> judge_modify(const Asked& asked) {
  RUNCTL_TRY_LET(const auto id, asked.volume("VolumeId"));
  RUNCTL_TRY_LET(const auto newest, volume::read_modification(asked.session, id));
  const auto size = integer_at(asked.request, "Size");
  const auto type = string_at(asked.request, "VolumeType");
  const auto iops = integer_at(asked.request, "Iops");
  const auto throughput = integer_at(asked.request, "Throughput");
  const bool ours = newest && (!size || (newest->size && *size == newest->size->count)) &&
                    (!type || *type == newest->type) && (!iops || iops == newest->iops) &&
                    (!throughput || throughput == newest->throughput);
  if (ours) return applied(fmt::format("volume {} has that modification", id));
  return nothing_seen(asked, fmt::format("volume {} has no such modification", id));
}

// What is only read, or is done again without harm: a manifest, and the growing of a filesystem.
Result<Finding> judge_repeatable(const Asked&) { return not_applied("it is done again"); }

// However it went, the machine thaws by itself; and `operations resume` thaws first.
Result<Finding> judge_freeze(const Asked&) { return not_applied("what was frozen is thawed"); }

// Nobody can ask a machine that is gone. What it had mounted it has not any more; a run that may
// have been started there was, as far as anybody is to rely on it.
Result<std::optional<Finding>> judge_of_gone_machine(const Asked& asked) {
  if (!asked.step.action.starts_with(volume::on_machine_prefix)) return std::nullopt;
  const auto text = string_at(asked.request, "instance");
  if (!text) return std::nullopt;
  RUNCTL_TRY_LET(const auto id, InstanceId::parse(*text));
  const auto seen = volume::read_instance(asked.session.aws, id, asked.session.options());
  const bool gone = seen ? seen->state == volume::InstanceState::terminated
                         : seen.error().code == Errc::not_found;
  if (!gone) return std::nullopt;
  std::string words = fmt::format("instance {} is gone", id);
  return asked.step.action == "machine:start-run" ? applied(std::move(words))
                                                  : not_applied(std::move(words));
}

struct Judge {
  std::string_view action;
  Result<Finding> (*act)(const Asked&);
};

constexpr std::array judges{Judge{.action = "AttachVolume", .act = judge_attach},
                            Judge{.action = "DetachVolume", .act = judge_detach},
                            Judge{.action = "DeleteVolume", .act = judge_delete},
                            Judge{.action = "CreateVolume", .act = judge_create_volume},
                            Judge{.action = "CreateSnapshot", .act = judge_create_snapshot},
                            Judge{.action = "CopyVolumes", .act = judge_create_volume},
                            Judge{.action = "ModifyVolume", .act = judge_modify},
                            Judge{.action = "RunInstances", .act = judge_run_instances},
                            Judge{.action = "TerminateInstances", .act = judge_terminate},
                            Judge{.action = "StopInstances", .act = judge_stop},
                            Judge{.action = "StartInstances", .act = judge_start},
                            Judge{.action = "CancelSpotInstanceRequests", .act = judge_cancel_spot},
                            Judge{.action = "CreateTags", .act = judge_tags},
                            Judge{.action = "DeleteTags", .act = judge_tags},
                            Judge{.action = "machine:mount", .act = judge_mount},
                            Judge{.action = "machine:unmount", .act = judge_unmount},
                            Judge{.action = "machine:format", .act = judge_format},
                            Judge{.action = "machine:freeze", .act = judge_freeze},
                            Judge{.action = "machine:seal", .act = judge_repeatable},
                            Judge{.action = "machine:fetch", .act = judge_repeatable},
                            Judge{.action = "machine:grow", .act = judge_repeatable},
                            Judge{.action = "machine:start-run", .act = judge_start_run},
                            Judge{.action = "machine:stop-run", .act = judge_stop_run},
                            Judge{.action = "machine:keep-run", .act = judge_repeatable},
                            Judge{.action = "machine:relocated", .act = judge_repeatable},
                            // What was seen, and is written down: nothing changed by it.
                            Judge{.action = "machine:run-ended", .act = judge_repeatable}};

}  // namespace

Result<Finding> judge(const Session& session, const Step& step) {
  for (const Judge& row : judges) {
    if (row.action != step.action) continue;
    RUNCTL_TRY_LET(auto request, parse_json(step.request));
    const Asked asked{.session = session, .step = step, .request = std::move(request)};
    RUNCTL_TRY_LET(auto of_gone, judge_of_gone_machine(asked));
    return of_gone ? *std::move(of_gone) : row.act(asked);
  }
  return fail(Errc::corrupt,
              fmt::format("this version of runctl does not know the step '{}'", step.action));
}

}  // namespace runctl::fleet
