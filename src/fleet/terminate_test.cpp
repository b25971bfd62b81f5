#include "fleet/terminate.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace runctl::fleet {
namespace {

using volume::InstanceState;

PowerFacts machine_with_data(bool delete_on_termination = false) {
  return {.instance = {.id = InstanceId::parse("i-0bbbbbbbbbbbbbbb1").value(),
                       .state = InstanceState::running,
                       .root_device = "/dev/xvda",
                       .devices = {{.device = "/dev/xvda",
                                    .volume = VolumeId::parse("vol-0ddddddddddddddd1").value(),
                                    .delete_on_termination = true},
                                   {.device = "/dev/sdf",
                                    .volume = VolumeId::parse("vol-0aaaaaaaaaaaaaaa1").value(),
                                    .delete_on_termination = delete_on_termination}}},
          .agent_online = true};
}

TEST(PlanTerminate, UnmountsDataVolumesAndKeepsThem) {
  const auto plan = plan_terminate(machine_with_data(), Unmounting::required);
  EXPECT_FALSE(plan.refusal.has_value());
  EXPECT_TRUE(plan.unmount_first);
  ASSERT_EQ(plan.data_volumes.size(), 1U);
  EXPECT_EQ(plan.data_volumes.front().device, "/dev/sdf");
}

TEST(PlanTerminate, RefusesToDeleteADataVolumeAlsoWhenUnmountingIsSkipped) {
  for (const auto unmounting : {Unmounting::required, Unmounting::skipped}) {
    EXPECT_TRUE(plan_terminate(machine_with_data(true), unmounting).refusal.has_value());
  }
}

TEST(PlanTerminate, RefusesAMachineThatCannotBeAskedUnlessToldByName) {
  auto facts = machine_with_data();
  facts.agent_online = false;
  EXPECT_TRUE(plan_terminate(facts, Unmounting::required).refusal.has_value());
  EXPECT_FALSE(plan_terminate(facts, Unmounting::skipped).refusal.has_value());
  facts.instance.state = InstanceState::stopped;  // nothing is mounted there
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required).refusal.has_value());
}

TEST(PlanTerminate, RefusesWhereTheMachinesDiskHasTheOnlyCopyOfResultsUnlessToldByName) {
  auto facts = machine_with_data();
  facts.runs = {{.id = node::RunId::parse("r").value(), .is_running = true, .is_unsent = true}};
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required).refusal.has_value());
  EXPECT_EQ(words_of(facts.runs), std::vector<std::string>{"end run r, which is running"});
  facts.runs.front().is_only_here = true;
  const auto plan = plan_terminate(facts, Unmounting::required);
  ASSERT_TRUE(plan.refusal.has_value());
  EXPECT_EQ(plan.refusal->ways_out.size(), 3U);
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required, Results::lost).refusal.has_value());
}

TEST(PlanTerminate, RefusesWhereItCannotBeAskedAndMayHaveTheOnlyCopyUnlessToldByName) {
  auto facts = machine_with_data();
  facts.agent_online = false;
  facts.maybe_only_here = {"r"};
  for (const auto state : {InstanceState::stopped, InstanceState::running}) {
    facts.instance.state = state;
    const auto plan = plan_terminate(facts, Unmounting::skipped);
    ASSERT_TRUE(plan.refusal.has_value());
    EXPECT_EQ(plan.refusal->code, Errc::conflict);
    EXPECT_EQ(plan.refusal->ways_out.size(), 2U);
    EXPECT_FALSE(plan_terminate(facts, Unmounting::skipped, Results::lost).refusal.has_value());
  }
  // What it says itself counts.
  facts.agent_online = true;
  facts.runs_are_known = true;
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required).refusal.has_value());
  // One that nothing was ever run on, for all that is known here.
  facts.runs_are_known = false;
  facts.maybe_only_here = {};
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required).refusal.has_value());
  facts.maybe_only_here = {"r"};
  facts.instance.state = InstanceState::terminated;
  EXPECT_FALSE(plan_terminate(facts, Unmounting::required).refusal.has_value());
}

TEST(StartedUploads, AreThoseOfTheMachineThatMayHaveBegunAndWhoseEndIsNotKnown) {
  const auto machine = InstanceId::parse("i-0bbbbbbbbbbbbbbb1").value();
  using journal::Outcome;
  const auto start = [](std::string request, Outcome outcome = Outcome::applied) {
    return journal::Step{
        .action = "machine:start-run", .request = std::move(request), .outcome = outcome};
  };
  const auto run = [](const char* name, const char* instance = "i-0bbbbbbbbbbbbbbb1",
                      bool only_here = true) {
    return fmt::format(R"({{"instance":"{}","run":"{}","only_here":{}}})", instance, name,
                       only_here);
  };
  const journal::Step whole{.action = "machine:run-ended",
                            .request = R"({"results_are_whole":true})",
                            .outcome = Outcome::applied};
  const journal::Step part{.action = "machine:run-ended",
                           .request = R"({"results_are_whole":false})",
                           .outcome = Outcome::applied};
  const std::vector<journal::Operation> operations{
      {.steps = {{.action = "AttachVolume", .request = "{}"}, start(run("a"))}},
      {.steps = {start(run("no"), Outcome::not_applied)}},
      {.steps = {start(run("b"), Outcome::unknown)}},
      {.steps = {start(run("no", "i-0ccccccccccccccc1"))}},
      {.steps = {start(run("no", "i-0bbbbbbbbbbbbbbb1", false)), start("nonsense")}},
      {.steps = {start(run("no")), whole}},
      {.steps = {start(run("c")), part}}};
  EXPECT_EQ(started_uploads(operations, machine), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(PlanTerminate, CallsATerminatedMachineDone) {
  auto facts = machine_with_data();
  for (const auto state : {InstanceState::terminated, InstanceState::shutting_down}) {
    facts.instance.state = state;
    EXPECT_TRUE(plan_terminate(facts, Unmounting::required).already_gone);
  }
}

}  // namespace
}  // namespace runctl::fleet
