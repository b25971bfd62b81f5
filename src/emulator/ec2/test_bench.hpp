// One account's state with everything that a turn needs, for tests.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

struct TestBench {
  State state = {};
  Place place{.account = "123456789012", .region = "us-east-1"};
  Timestamp now{std::chrono::hours{24 * 365 * 56}};
  Pace pace = *pace_named("fast");
  SeededRandom random{7};
  std::vector<Order> orders = {};

  [[nodiscard]] Turn turn() {
    return {.state = state,
            .place = place,
            .now = now,
            .pace = pace,
            .random = random,
            .orders = orders};
  }

  void pass(std::chrono::milliseconds time) {
    now += time;
    Turn t = turn();
    advance(t);
  }

  // The hardware does all that it was told to, until nothing more is ordered.
  void obey(const Report& report_of_each = {}) {
    while (!orders.empty()) {
      for (const Order& order : std::exchange(orders, {})) {
        Turn t = turn();
        report(t, order, report_of_each);
        advance(t);
      }
    }
  }

  // Lets `time` pass in small steps with hardware that does what it is told.
  void settle(std::chrono::milliseconds time = std::chrono::seconds{2}) {
    obey();
    for (auto left = time; left.count() > 0; left -= std::chrono::milliseconds{20}) {
      pass(std::chrono::milliseconds{20});
      obey();
    }
  }

  std::string volume(wire::CreateVolumeRequest request = {}) {
    if (request.availability_zone.empty()) request.availability_zone = "us-east-1a";
    if (!request.size) request.size = 10;
    Turn t = turn();
    const std::string id = create_volume(t, request)->volume_id;
    settle();
    return id;
  }

  std::string instance(const std::string& type = "m5.large",
                       const std::string& zone = "us-east-1a") {
    Turn t = turn();
    const auto made = run_instances(t, {.image_id = "ami-0123456789abcdef0",
                                        .instance_type = type,
                                        .min_count = 1,
                                        .max_count = 1,
                                        .placement = wire::Placement{.availability_zone = zone}});
    settle();
    return made->instances.front().instance_id;
  }

  Result<wire::VolumeAttachment> attach(const std::string& volume_id,
                                        const std::string& instance_id,
                                        const std::string& device = "/dev/sdf") {
    Turn t = turn();
    return attach_volume(t, {.volume_id = volume_id, .instance_id = instance_id, .device = device});
  }

  Result<wire::VolumeAttachment> detach(const std::string& volume_id,
                                        const std::string& instance_id = "") {
    Turn t = turn();
    return detach_volume(t, {.volume_id = volume_id, .instance_id = instance_id});
  }

  void terminate(const std::string& instance_id) {
    Turn t = turn();
    (void)terminate_instances(t, {.instance_ids = {instance_id}});
  }

  [[nodiscard]] const Volume* find(const std::string& volume_id) const {
    return state.volumes.find(*VolumeId::parse(volume_id));
  }

  // "in-use attached", "in-use", "gone"
  [[nodiscard]] std::string seen(const std::string& volume_id) const {
    const Volume* const volume = find(volume_id);
    if (volume == nullptr) return "gone";
    std::string text{name_of(volume->state)};
    for (const Attachment& a : volume->attachments) text += " " + std::string{name_of(a.state)};
    return text;
  }
};

// AWS's code for the refusal, "" for none.
template <class T>
[[nodiscard]] std::string code_of(const Result<T>& result) {
  if (result) return "";
  return result.error().remote ? result.error().remote->code : "no AWS code";
}

}  // namespace runctl::emulator::ec2
