#include "fleet/replace.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/instance.hpp"
#include "fleet/spot.hpp"
#include "volume/detach.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::fleet {
namespace {

using volume::Change;
using volume::Session;

// Two minutes of notice, and the time that EC2 takes to stop a machine.
constexpr std::chrono::minutes taking_back{10};

// What a launch may say again: AWS's own tags are refused, and an operation's is its own.
volume::Tags tags_of(const volume::InstanceFacts& instance) {
  volume::Tags tags = instance.tags;
  std::erase_if(tags, [](const auto& tag) {
    return tag.first.starts_with("aws:") || tag.first == volume::tag::operation;
  });
  return tags;
}

struct Choice {
  std::string type;
  Market market = Market::spot;
};

std::vector<Choice> list_choices(const ReplacementSpec& spec) {
  std::vector<Choice> choices;
  for (const Market market : {Market::spot, Market::on_demand}) {
    if (market == Market::on_demand && !spec.on_demand_allowed) continue;
    choices.push_back({.type = spec.launch.type, .market = market});
    for (const std::string& type : spec.other_types)
      choices.push_back({.type = type, .market = market});
  }
  return choices;
}

std::string in_words(const Choice& choice) {
  return fmt::format("{} {}", choice.market == Market::spot ? "a spot" : "an on-demand",
                     choice.type);
}

// One look and one try. Nothing while the machine is still there and cannot give it yet.
Result<std::optional<bool>> try_to_take_off(const Change& change, const VolumeId& volume,
                                            const InstanceId& instance) {
  const Session& session = change.session;
  RUNCTL_TRY_LET(const auto seen, volume::read_volume(session.aws, volume, session.options()));
  if (volume::attachment_to(seen, instance) == nullptr) {
    return seen.multi_attach || seen.state != volume::VolumeState::in_use ? std::optional{true}
                                                                          : std::nullopt;
  }
  RUNCTL_TRY_LET(const auto facts, volume::read_detach_facts(session, seen, instance));
  const auto plan = volume::plan_detach(facts);
  if (plan.already_detached) return std::optional{true};
  if (plan.refusal) {
    session.progress(fmt::format("waiting for {} to give {} back", instance, volume));
    return std::optional<bool>{};
  }
  const auto detached = volume::execute_detach(change, facts, plan);
  if (detached) return std::optional{true};
  // The program is being ended, or the machine went in the middle of it.
  if (detached.error().code == Errc::conflict || volume::is_silence(detached.error().code)) {
    session.progress(fmt::format("waiting for {} to give {} back: {}", instance, volume,
                                 detached.error().message));
    return std::optional<bool>{};
  }
  return std::unexpected{detached.error()};
}

}  // namespace

bool is_taken_back(const volume::InstanceFacts& instance) {
  return instance.reason_code.starts_with("Server.SpotInstance");
}

bool lacks_machine(const Error& error) {
  if (lacks_spot(error)) return true;
  // Source: EC2 API reference, "Error codes for the Amazon EC2 API": the quotas of on-demand
  // machines, each of a family of types.
  return error.effect == Effect::not_applied && error.remote &&
         (error.remote->code == "VcpuLimitExceeded" ||
          error.remote->code == "InstanceLimitExceeded");
}

Result<LaunchSpec> launch_spec_of(const Session& session, const volume::InstanceFacts& instance) {
  RUNCTL_TRY_LET(const auto found, session.aws.call<aws::ec2::DescribeInstances>(
                                       {.instance_ids = {instance.id.str()}}, session.options()));
  RUNCTL_TRY_LET(const auto spot, read_spot_request(session, instance));
  for (const auto& reservation : found.reservations) {
    for (const auto& one : reservation.instances) {
      if (one.instance_id != instance.id.str()) continue;
      LaunchSpec spec{.type = one.instance_type,
                      .image = one.image_id,
                      .zone = one.placement ? one.placement->availability_zone : "",
                      .key_name = one.key_name,
                      .subnet = one.subnet_id,
                      .tags = tags_of(instance)};
      for (const auto& group : one.security_groups) spec.security_groups.push_back(group.group_id);
      if (one.iam_instance_profile) {
        const std::string& arn = one.iam_instance_profile->arn;
        spec.instance_profile = arn.substr(arn.rfind('/') + 1);
      }
      spec.market = spot ? Market::spot : Market::on_demand;
      if (spot) spec.spot_max_price = spot->max_price;
      return spec;
    }
  }
  return fail(Errc::not_found, fmt::format("EC2 does not know instance {} any more", instance.id));
}

std::vector<std::string> choices_of(const ReplacementSpec& spec) {
  std::vector<std::string> words;
  for (const Choice& choice : list_choices(spec)) words.push_back(in_words(choice));
  return words;
}

Result<Rented> rent_replacement(const Change& change, const ReplacementSpec& spec,
                                const std::function<void(std::string_view)>& announce) {
  std::optional<Error> lacking;
  for (const Choice& choice : list_choices(spec)) {
    if (lacking) {
      announce(fmt::format("{}; renting {} instead", lacking->message, in_words(choice)));
    }
    LaunchSpec launch = spec.launch;
    launch.type = choice.type;
    launch.market = choice.market;
    auto rented = launch_with_fallback(change, launch, {.allowed = false});
    if (rented || !lacks_machine(rented.error())) return rented;
    lacking = std::move(rented).error();
  }
  return std::unexpected{*std::move(lacking)};
}

Result<void> take_off(const Change& change, const VolumeId& volume, const InstanceId& instance) {
  RUNCTL_TRY(volume::wait_for<bool>(change.session, {.budget = taking_back},
                                    fmt::format("{} to give {} back", instance, volume),
                                    [&]() { return try_to_take_off(change, volume, instance); }));
  return {};
}

}  // namespace runctl::fleet
