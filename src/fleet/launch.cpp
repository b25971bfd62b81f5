#include "fleet/launch.hpp"

#include <utility>

#include <fmt/format.h>

#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::fleet {
namespace {

using volume::InstanceFacts;
using volume::InstanceState;

bool is_ending(InstanceState state) {
  return state == InstanceState::shutting_down || state == InstanceState::terminated;
}

// The request for the market gets the machine's tags: it is found by them when no machine comes.
void ask_for_spot(aws::ec2::RunInstancesRequest& request, const std::string& max_price) {
  request.instance_market_options = aws::ec2::InstanceMarketOptionsRequest{.market_type = "spot"};
  if (!max_price.empty()) {
    request.instance_market_options->spot_options =
        aws::ec2::SpotMarketOptions{.max_price = max_price};
  }
  aws::ec2::TagSpecification tags = request.tag_specifications.front();
  tags.resource_type = "spot-instances-request";
  request.tag_specifications.push_back(std::move(tags));
}

aws::ec2::RunInstancesRequest request_for(const LaunchSpec& spec, const std::string& token) {
  aws::ec2::RunInstancesRequest request{.image_id = spec.image,
                                        .instance_type = spec.type,
                                        .min_count = 1,
                                        .max_count = 1,
                                        .key_name = spec.key_name,
                                        .security_group_ids = spec.security_groups,
                                        .subnet_id = spec.subnet,
                                        .client_token = token};
  if (!spec.zone.empty()) request.placement = aws::ec2::Placement{.availability_zone = spec.zone};
  if (!spec.instance_profile.empty()) {
    request.iam_instance_profile =
        aws::ec2::IamInstanceProfileSpecification{.name = spec.instance_profile};
  }
  aws::ec2::TagSpecification tags{.resource_type = "instance", .tags = {}};
  for (const auto& [key, value] : spec.tags) tags.tags.push_back({.key = key, .value = value});
  tags.tags.push_back({.key = std::string{volume::tag::operation}, .value = token});
  request.tag_specifications = {std::move(tags)};
  if (spec.market == Market::spot) ask_for_spot(request, spec.spot_max_price);
  return request;
}

}  // namespace

std::string_view name_of(Market market) { return market == Market::spot ? "spot" : "on-demand"; }

Result<InstanceFacts> launch(const volume::Change& change, const LaunchSpec& spec) {
  return launch_as(change, spec, random_uuid(change.session.random));
}

Result<InstanceFacts> launch_as(const volume::Change& change, const LaunchSpec& spec,
                                const std::string& token) {
  const auto request = request_for(spec, token);
  RUNCTL_TRY_LET(const auto reservation, volume::send<aws::ec2::RunInstances>(change, request));
  for (const auto& instance : reservation.instances) {
    change.recorder.add_subject(instance.instance_id);
  }
  if (reservation.instances.size() != 1) {
    auto wrong =
        fail(Errc::corrupt, fmt::format("EC2 launched {} instances where one was asked for",
                                        reservation.instances.size()));
    wrong.error().effect = Effect::applied;
    return wrong;
  }
  return volume::to_facts(reservation.instances.front());
}

Result<InstanceFacts> wait_until_ready(const volume::Session& session, const InstanceId& instance) {
  bool running = false;
  auto ready = volume::wait_for<InstanceFacts>(
      session, {}, fmt::format("instance {} to be ready", instance),
      [&]() -> Result<std::optional<InstanceFacts>> {
        auto seen = volume::read_instance(session.aws, instance, session.options());
        // Straight after its launch EC2 may not know it yet.
        if (!seen && seen.error().code == Errc::not_found && !running) return std::nullopt;
        if (!seen) return std::unexpected{std::move(seen).error()};
        if (is_ending(seen->state) || seen->state == InstanceState::stopped) {
          auto ended = fail(Errc::conflict, fmt::format("instance {} is '{}'", instance,
                                                        volume::name_of(seen->state)));
          ended.error().hint = "It will not become ready by waiting.";
          if (!seen->reason.empty()) ended.error().details = {"EC2 says: " + seen->reason};
          return ended;
        }
        running = seen->state == InstanceState::running;
        session.progress(running ? "waiting for its SSM agent" : "waiting for it to run");
        if (!running) return std::nullopt;
        RUNCTL_TRY_LET(const bool online, session.shell.is_reachable(instance, session.stop));
        return online ? std::optional{*std::move(seen)} : std::nullopt;
      });
  if (!ready && ready.error().code == Errc::not_found) {
    ready.error().message =
        fmt::format("there is no instance {} in this account and region", instance);
  }
  if (!ready && ready.error().code == Errc::deadline_exceeded && running) {
    ready.error().message =
        fmt::format("instance {} runs, and its SSM agent is not online", instance);
    ready.error().hint =
        "It needs an IAM instance profile with AmazonSSMManagedInstanceCore "
        "(--iam-instance-profile) "
        "and a way to the network.";
  }
  return ready;
}

}  // namespace runctl::fleet
