// What a run leaves behind when its program has ended: as long as it lives, the checkpoint
// directory is nobody else's, whether it has kept the lock's descriptor or closed it, as Python's
// subprocess does.
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/real_clock.hpp"
#include "node/choose_checkpoint.hpp"
#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class left_behind : public RunFixture {
 protected:
  std::string directory() { return (bed_.root() / "volume" / "checkpoints").string(); }
  RunSpec run_on_it(std::string_view name, const std::string& script) {
    auto spec = shell_run(name, script);
    spec.checkpoint_directory = directory();
    return spec;
  }
  // A run that has ended, and what it started has not: its number is in the file `left`.
  RunReport leave(const std::string& starter) {
    auto spec = run_on_it(
        "leaves", fmt::format("{} sh -c 'exec 9>&-; echo $$ >left; exec sleep 300' "
                              ">/dev/null 2>&1 & until [ -s left ]; do sleep 0.1; done; exit 0",
                              starter));
    EXPECT_EQ(code_of(start_run(bed_.machine(), spec)), "");
    return when_ended(spec.id).run;
  }
  std::string left() { return bed_.said_by(fmt::format("cat {}/left", bed_.root().string())); }
  std::string outcome_of_next() {
    return code_of(start_run(bed_.machine(), run_on_it("next", "true")));
  }
  // The next run starts when it is gone.
  void end_it() {
    bed_.said_by("kill -9 " + left());
    EXPECT_TRUE(eventually(fmt::format("flock -n {}/.runctl.lock true", directory())));
    EXPECT_EQ(outcome_of_next(), "");
  }
  Result<CheckpointChoice> choose() {
    return choose_checkpoint(
        bed_.machine(), VolumeId::parse("vol-0123456789abcdef0").value(), directory(),
        {.clock = clock_, .deadline = clock_.ticks() + std::chrono::minutes{2}});
  }

  RealClock clock_;
};

TEST_F(left_behind, a_process_that_closed_the_lock_keeps_the_next_run_out) {
  for (const char* starter : {"setsid", "env -u RUNCTL_RUN_ID", ""}) {
    SCOPED_TRACE(starter);
    const auto run = leave(starter);
    EXPECT_EQ(run.state, RunState::succeeded);
    EXPECT_EQ(outcome_of_next(), "busy");
    end_it();
    (void)when_ended(id("next"));
    bed_.said_by(fmt::format("cd {}; rm -r left runs/*", bed_.root().string()));
  }
}

TEST_F(left_behind, it_alone_is_what_stopping_ends) {
  (void)leave("setsid");
  const auto seen = stop_run(bed_.machine(), id("leaves"),
                             {.send = SendSignal::no, .wait = std::chrono::milliseconds{200}});
  ASSERT_EQ(code_of(seen), "");
  EXPECT_EQ(seen->left_count, 1U);
  ASSERT_EQ(code_of(stop_run(bed_.machine(), id("leaves"),
                             {.kill = KillAll::yes, .wait = std::chrono::seconds{20}})),
            "");
  EXPECT_TRUE(eventually(fmt::format("flock -n {}/.runctl.lock true", directory())));
  EXPECT_EQ(outcome_of_next(), "");
}

// As systemd's end of a unit does, and the kernel for want of memory.
TEST_F(left_behind, it_keeps_the_next_run_out_also_when_all_else_of_its_run_is_gone) {
  const auto run = leave("setsid");
  bed_.said_by(fmt::format(
      "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" != {} ] || kill -9 ${{p#/proc/}}; done",
      run.directory));
  ASSERT_TRUE(eventually(fmt::format("flock -n {}/.runctl.lock true", directory())));
  const auto chosen = choose();
  ASSERT_EQ(code_of(chosen), "busy");
  EXPECT_THAT(chosen.error().message, HasSubstr(run.id.str()));
  const auto refused = start_run(bed_.machine(), run_on_it("next", "true"));
  ASSERT_EQ(code_of(refused), "busy");
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr(run.id.str()));
  EXPECT_THAT(refused.error().details, Contains(HasSubstr("process " + left())));
  bed_.said_by("kill -9 " + left());
  ASSERT_TRUE(eventually(fmt::format("[ ! -s /proc/{}/environ ]", left())));
  // Choosing does not make it be forgotten whose directory it was.
  EXPECT_EQ(code_of(choose()), "");
  EXPECT_EQ(bed_.said_by(fmt::format("head -n 1 {}/.runctl.lock | cut -d ' ' -f 4", directory())),
            run.id.str());
  EXPECT_EQ(outcome_of_next(), "");
}

}  // namespace
}  // namespace runctl::node::testing
