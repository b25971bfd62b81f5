#include "node/processes.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class processes : public RunFixture {};

TEST_F(processes, a_busy_one_is_on_top_with_its_run) {
  const auto run = started(shell_run("busy", "echo up; while :; do :; done"), "up");
  const auto load = read_load(bed_.machine(), 5, std::chrono::seconds{1});
  ASSERT_EQ(code_of(load), "");
  EXPECT_GT(load->cpus, 0);
  EXPECT_GT(load->memory_total_bytes, load->memory_available_bytes);
  ASSERT_FALSE(load->processes.empty());
  ASSERT_LE(load->processes.size(), 5U);
  const auto found = std::ranges::find(load->processes, run.pid, &ProcessFacts::pid);
  ASSERT_NE(found, load->processes.end());
  EXPECT_GT(found->cpu_percent, 1);
  EXPECT_LT(found->cpu_percent, 150);
  EXPECT_GT(found->memory_bytes, 100'000U);
  EXPECT_EQ(found->run_id, id("busy").str());
  EXPECT_THAT(found->command, HasSubstr("while"));
}

TEST_F(processes, gpus_are_told_as_nvidia_smi_tells_them) {
  const auto run = started(shell_run("busy", "echo up; while :; do :; done"), "up");
  // Beside the scripts' PATH, which has /usr/local/bin only at its end.
  const std::string tool = bed_.root() / "bin" / "nvidia-smi";
  bed_.said_by(fmt::format(
      "mkdir {0}/bin; printf '%s\\n' '#!/bin/sh' 'case $1 in *compute-apps*) echo \"{1}, 1234\";; "
      "*) echo \"0, NVIDIA A10G, 97, 20000, 23028, 61\"; echo \"1, NVIDIA A10G, [N/A], 3, 23028, "
      "40\";; esac' "
      ">{0}/bin/nvidia-smi; chmod +x {0}/bin/nvidia-smi",
      bed_.root().string(), run.pid));
  RealClock clock;
  AsOrdinaryUser process;
  LocalShell shell{process,
                   clock,
                   {fmt::format("PATH={}/bin:/usr/bin:/bin", bed_.root().string()),
                    fmt::format("RUNCTL_FILES_ROOT={}", bed_.root().string())}};
  const auto load = read_load({.shell = shell, .instance = bed_.machine().instance}, 30,
                              std::chrono::milliseconds{500});
  ASSERT_EQ(code_of(load), "");
  ASSERT_THAT(load->gpus, SizeIs(2));
  EXPECT_EQ(load->gpus[0].name, "NVIDIA A10G");
  EXPECT_EQ(load->gpus[0].utilization_percent, 97);
  EXPECT_EQ(load->gpus[1].utilization_percent, std::nullopt);
  EXPECT_EQ(load->gpus[1].memory_used_mib, 3);
  const auto found = std::ranges::find(load->processes, run.pid, &ProcessFacts::pid);
  ASSERT_NE(found, load->processes.end());
  EXPECT_EQ(found->gpu_memory_mib, 1234U);
}

TEST_F(processes, without_nvidia_smi_there_are_no_gpus) {
  const auto load = read_load(bed_.machine(), 3, std::chrono::milliseconds{100});
  ASSERT_EQ(code_of(load), "");
  EXPECT_THAT(load->gpus, IsEmpty());
}

TEST_F(processes, hostile_names_break_nothing) {
  const std::string name = bed_.root() / "a) R 1\n2 (\"b";
  const Background other{fmt::format("cp /bin/sleep '{0}' && exec '{0}' 300", name)};
  ASSERT_TRUE(eventually(fmt::format("grep -q 'a) R 1' /proc/{}/comm", other.pid())));
  const auto load = read_load(bed_.machine(), 30, std::chrono::milliseconds{200});
  EXPECT_EQ(code_of(load), "");
}

}  // namespace
}  // namespace runctl::node::testing
