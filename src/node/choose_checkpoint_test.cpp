// The choice of a checkpoint on a machine, and what becomes of it when another run comes in
// between. That it says what src/checkpoint/ says is shown by tests/cli/resume_test.py.
#include "node/choose_checkpoint.hpp"

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/real_clock.hpp"
#include "node/run_fixture.hpp"

namespace runctl::node {
namespace {

using testing::code_of;
using ::testing::HasSubstr;
using testing::id;

class checkpoint_choices : public testing::RunFixture {
 protected:
  std::string directory() { return (bed_.root() / "volume" / "checkpoints").string(); }
  // A file of safetensors without a tensor, and with `behind` where none belongs.
  void put(const std::string& name, const std::string& behind = "") {
    bed_.said_by(
        fmt::format("mkdir -p {0} && printf '\\002\\000\\000\\000\\000\\000\\000\\000{{}}{1}'"
                    " >{0}/{2}",
                    directory(), behind, name));
  }
  Result<CheckpointChoice> choose() {
    return choose_checkpoint(
        bed_.machine(), VolumeId::parse("vol-0123456789abcdef0").value(), directory(),
        {.clock = clock_, .deadline = clock_.ticks() + std::chrono::minutes{2}});
  }
  RunSpec run_on_it(std::string_view name, const std::string& script) {
    auto spec = shell_run(name, script);
    spec.checkpoint_directory = directory();
    return spec;
  }
  void until_free() {
    ASSERT_TRUE(testing::eventually(fmt::format("flock -n {}/.runctl.lock true", directory())));
  }

  RealClock clock_;
};

TEST_F(checkpoint_choices, the_newest_whole_one_is_chosen_and_others_are_named) {
  put("epoch_1.safetensors");
  put("epoch_2.safetensors");
  put("epoch_3.safetensors", "torn");
  const auto choice = choose();
  ASSERT_EQ(code_of(choice), "");
  ASSERT_TRUE(choice->checkpoint);
  EXPECT_EQ(choice->checkpoint->name, "epoch_2.safetensors");
  EXPECT_EQ(choice->checkpoint->state, "complete");
  EXPECT_EQ(choice->checkpoint->format, "safetensors");
  EXPECT_EQ(choice->checkpoint->epoch, 2);
  EXPECT_EQ(choice->ordered_by, "epoch");
  ASSERT_EQ(choice->passed_over.size(), 1U);
  EXPECT_EQ(choice->passed_over[0].name, "epoch_3.safetensors");
  EXPECT_EQ(choice->passed_over[0].why, "4 bytes follow its last tensor");
  EXPECT_EQ(choice->bad_count, 1U);
  EXPECT_EQ(choice->fence, 0);
}

TEST_F(checkpoint_choices, a_directory_that_is_not_there_or_empty_has_none) {
  auto choice = choose();
  ASSERT_EQ(code_of(choice), "");
  EXPECT_FALSE(choice->checkpoint);
  EXPECT_EQ(choice->passed_over_count, 0U);
  bed_.said_by("mkdir -p " + directory());
  choice = choose();
  ASSERT_EQ(code_of(choice), "");
  EXPECT_FALSE(choice->checkpoint);
}

TEST_F(checkpoint_choices, what_a_writer_left_is_passed_over_and_is_not_bad) {
  put(".writing-x");
  const auto choice = choose();
  ASSERT_EQ(code_of(choice), "");
  EXPECT_FALSE(choice->checkpoint);
  EXPECT_EQ(choice->passed_over_count, 1U);
  EXPECT_EQ(choice->bad_count, 0U);
}

TEST_F(checkpoint_choices, is_not_made_while_a_run_writes) {
  put("epoch_1.safetensors");
  const auto run = started(run_on_it("writes", "echo up; exec sleep 60"), "up");
  const auto refused = choose();
  ASSERT_EQ(code_of(refused), "busy");
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr(run.id.str()));
}

TEST_F(checkpoint_choices, is_void_once_another_run_had_the_directory) {
  put("epoch_1.safetensors");
  const auto choice = choose();
  ASSERT_EQ(code_of(choice), "");
  ASSERT_EQ(code_of(start_run(bed_.machine(), run_on_it("between", "true"))), "");
  when_ended(id("between"));
  until_free();
  auto late = run_on_it("late", "true");
  late.expected_fence = choice->fence;
  const auto refused = start_run(bed_.machine(), late);
  ASSERT_EQ(code_of(refused), "changed");
  EXPECT_EQ(refused.error().code, Errc::precondition);
  const auto again = choose();
  ASSERT_EQ(code_of(again), "");
  EXPECT_EQ(again->fence, 1);
  late.expected_fence = again->fence;
  EXPECT_EQ(code_of(start_run(bed_.machine(), late)), "");
}

}  // namespace
}  // namespace runctl::node
