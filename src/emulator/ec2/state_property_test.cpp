// Whatever clients do, and however slow or unwilling the hardware is.
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "emulator/ec2/test_bench.hpp"
#include "emulator/rows.hpp"

namespace runctl::emulator::ec2 {
namespace {

// The rules that no sequence of requests may break.
void check_invariants(const State& state) {
  std::set<std::pair<std::string, std::string>> slots;
  for (const auto& [id, volume] : state.volumes.all()) {
    if (!volume.multi_attach) RC_ASSERT(volume.attachments.size() <= 1U);
    if (!volume.attachments.empty()) RC_ASSERT(volume.state == VolumeState::in_use);
    std::set<InstanceId> instances;
    for (const Attachment& a : volume.attachments) {
      RC_ASSERT(instances.insert(a.instance).second);
      RC_ASSERT(slots.emplace(a.instance.str(), a.device).second);
      const Instance* const instance = state.instances.find(a.instance);
      RC_ASSERT(instance != nullptr);
      RC_ASSERT(instance->state != InstanceState::terminated);
      RC_ASSERT(instance->zone == volume.zone);
    }
  }
}

void commit(State& state) {
  state.volumes.commit();
  state.instances.commit();
  state.snapshots.commit();
}

// What a request that is refused leaves behind is undone, as the cloud does it.
template <class T>
void conclude(TestBench& bench, const Result<T>& result) {
  if (!result) {
    bench.state.volumes.roll_back();
    bench.state.instances.roll_back();
    bench.state.snapshots.roll_back();
  }
  commit(bench.state);
}

template <class Record, class Id>
std::string any_id(const Table<Id, Record>& table) {
  if (table.all().empty()) return "";
  const auto at = *rc::gen::inRange<std::size_t>(0, table.all().size());
  return std::next(table.all().begin(), static_cast<std::ptrdiff_t>(at))->first.str();
}

void step(TestBench& bench) {
  const auto volume = any_id(bench.state.volumes);
  const auto instance = any_id(bench.state.instances);
  const std::string device{"/dev/sd" + std::string(1, *rc::gen::inRange('f', 'i'))};
  Turn turn = bench.turn();
  switch (*rc::gen::inRange(0, 14)) {
    case 0:
    case 1:
      conclude(bench, bench.attach(volume, instance, device));
      break;
    case 2:
      conclude(bench, bench.detach(volume, instance));
      break;
    case 3:
      conclude(bench, delete_volume(turn, {.volume_id = volume}));
      break;
    case 4:
      conclude(bench, terminate_instances(turn, {.instance_ids = {instance}}));
      break;
    case 5: {
      const bool shared = *rc::gen::arbitrary<bool>();
      conclude(bench, create_volume(turn, {.availability_zone = "us-east-1a",
                                           .size = 8,
                                           .volume_type = "io2",
                                           .iops = 100,
                                           .multi_attach_enabled = shared}));
      break;
    }
    case 6:
      conclude(bench, run_instances(turn, {.image_id = "ami-01234567",
                                           .instance_type = "m5.large",
                                           .min_count = 1,
                                           .max_count = 1}));
      break;
    case 8:
      conclude(bench, stop_instances(turn, {.instance_ids = {instance}}));
      break;
    case 9:
      conclude(bench, start_instances(turn, {.instance_ids = {instance}}));
      break;
    case 7:
      bench.pass(std::chrono::milliseconds{*rc::gen::inRange(0, 200)});
      commit(bench.state);
      break;
    case 10:
      conclude(bench, modify_volume(turn, {.volume_id = volume, .size = *rc::gen::inRange(8, 20)}));
      break;
    case 11:
      conclude(bench, copy_volumes(turn, {.source_volume_id = volume, .size = 20}));
      break;
    case 12:
      conclude(bench, reboot_instances(turn, {.instance_ids = {instance}}));
      break;
    default: {
      // One order, any of them, is done, fails, or finds the device in use.
      if (bench.orders.empty()) break;
      const auto at = *rc::gen::inRange<std::size_t>(0, bench.orders.size());
      const Order order = bench.orders[at];
      bench.orders.erase(bench.orders.begin() + static_cast<std::ptrdiff_t>(at));
      Report outcome;
      const int luck = *rc::gen::inRange(0, 4);
      if (luck == 0) outcome.error = Error{.message = "broken"};
      if (luck == 1) outcome.unplugged = Unplugged::busy;
      report(turn, order, outcome);
      commit(bench.state);
    }
  }
}

RC_GTEST_PROP(StateProperties, NoSequenceOfRequestsSharesWhatIsNotShared, ()) {
  TestBench bench;
  bench.volume();
  bench.instance();
  bench.instance();
  const int steps = *rc::gen::inRange(1, 120);
  for (int i = 0; i < steps; ++i) {
    step(bench);
    check_invariants(bench.state);
  }
  // With hardware that works again everything settles: nothing is stuck on a step by time.
  bench.settle(std::chrono::seconds{5});
  check_invariants(bench.state);
  for (const auto& [id, volume] : bench.state.volumes.all()) {
    RC_ASSERT(volume.state != VolumeState::deleting);
    if (!volume.modification) continue;
    RC_ASSERT(volume.modification->state != ModificationState::modifying);
    RC_ASSERT(volume.modification->state != ModificationState::optimizing);
  }
}

RC_GTEST_PROP(StateProperties, RowsGiveBackWhatWasWritten, ()) {
  TestBench bench;
  bench.volume();
  bench.instance();
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) step(bench);
  State loaded;
  for (const auto& [id, record] : bench.state.volumes.all()) {
    RC_ASSERT(load_row(loaded, "volume", id.str(), to_row(record)).has_value());
    Volume kept = record;
    kept.ordered = false;
    if (kept.modification) kept.modification->ordered = false;
    for (Attachment& a : kept.attachments) {
      a.ordered = false;
      a.attempt = 0;
    }
    RC_ASSERT(*loaded.volumes.find(id) == kept);
  }
  for (const auto& [id, record] : bench.state.instances.all()) {
    RC_ASSERT(load_row(loaded, "instance", id.str(), to_row(record)).has_value());
    Instance kept = record;
    kept.ordered = false;
    kept.booted = false;
    kept.silent = false;
    RC_ASSERT(*loaded.instances.find(id) == kept);
  }
}

RC_GTEST_PROP(StateProperties, PacesNeverGoBack, (const std::string& seed)) {
  SeededRandom random{std::hash<std::string>{}(seed)};
  const Pace pace = *pace_named("aws");
  for (int i = 0; i < 100; ++i) {
    const auto drawn = draw(pace, pace.attach, random);
    RC_ASSERT(drawn >= pace.attach / 2);
    RC_ASSERT(drawn <= pace.attach + pace.attach / 2);
  }
}

}  // namespace
}  // namespace runctl::emulator::ec2
