#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "emulator/hardware/directory_disks.hpp"
#include "emulator/hardware/process_table.hpp"
#include "emulator/hardware/temporary_state.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;

class FilesHardware : public testing::Test {
 protected:
  void SetUp() override {
    hardware_ = *make_hardware(HardwareKind::files, state_.parts());
    for (const VolumeId& volume : {volume_a, volume_b}) {
      ASSERT_TRUE(hardware_.disks->create(volume, GiB{1}, {}));
    }
    ASSERT_TRUE(hardware_.machines->boot(machine_a));
    ASSERT_TRUE(hardware_.machines->boot(machine_b));
  }
  void TearDown() override {
    hardware_ = {};
    EXPECT_EQ(processes_of(machine_a) + processes_of(machine_b), 0);
  }

  [[nodiscard]] fs::path directory(const InstanceId& instance) const {
    return fs::canonical(state_.path()) / "instances" / instance.str();
  }
  [[nodiscard]] int processes_of(const InstanceId& instance) const {
    int count = 0;
    for (const pid_t pid : all_processes()) {
      if (started_with(pid, "RUNCTL_FILES_ROOT") == directory(instance).string()) ++count;
    }
    return count;
  }
  MachineOutcome run(const InstanceId& instance, const std::string& script) {
    auto outcome = hardware_.machines->run(instance, {.script = script}, {});
    if (outcome) return *std::move(outcome);
    ADD_FAILURE() << outcome.error().message;
    return {};
  }
  std::string output(const InstanceId& instance, const std::string& script) {
    const MachineOutcome outcome = run(instance, script);
    EXPECT_EQ(outcome.exit_status, 0) << script << "\n" << outcome.out << outcome.err;
    return std::string{trim(outcome.out)};
  }
  // As whoever mounts in such a machine does it.
  static std::string mount_script(const VolumeId& volume, const std::string& point) {
    const std::string record = "$RUNCTL_FILES_ROOT/mounts/" + volume.str();
    return "mkdir -p $RUNCTL_FILES_ROOT/root/mnt && ln -s $(readlink -f "
           "$RUNCTL_FILES_ROOT/volumes/" +
           volume.str() + ") $RUNCTL_FILES_ROOT/root" + point + " && echo " + point + " >" + record;
  }

  TemporaryState state_;
  Hardware hardware_;
};

TEST_F(FilesHardware, KeepsDataWhenAVolumeMovesToAnotherMachine) {
  const auto link = hardware_.machines->plug(volume_a, machine_a);
  EXPECT_EQ(link.value_or(""), (directory(machine_a) / "volumes" / volume_a.str()).string());
  EXPECT_EQ(hardware_.machines->plug(volume_a, machine_a).value_or(""), link.value_or("none"));
  output(machine_a, mount_script(volume_a, "/mnt/data") + " && echo precious >mnt/data/file");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy) << "is mounted";
  output(machine_a, "rm $RUNCTL_FILES_ROOT/root/mnt/data");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_b));
  EXPECT_EQ(output(machine_b, "cat ../volumes/*/file"), "precious");
}

TEST_F(FilesHardware, RefusesToUnplugWhatAProcessUses) {
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_a));
  const std::string daemon = "setsid sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2";
  output(machine_a, "cd ../volumes/" + volume_a.str() + " && " + daemon);
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy)
      << "working directory";
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_b), Unplugged::done) << "was never there";
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::keep));
  ASSERT_TRUE(hardware_.machines->boot(machine_a));
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_a));
  output(machine_a,
         "setsid sleep 1000 >../volumes/" + volume_a.str() + "/log 2>&1 </dev/null & sleep 0.2");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy) << "open file";
}

TEST_F(FilesHardware, DoesNotMindTheOtherMachineOfAMultiAttachVolume) {
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_a));
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_b));
  output(machine_a, "cd ../volumes/" + volume_a.str() +
                        " && setsid sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_b), Unplugged::done);
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy);
}

TEST_F(FilesHardware, EndsEveryProcessWhenAMachineHalts) {
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_a));
  output(machine_a, mount_script(volume_a, "/mnt/data") + "; echo kept >file");
  output(machine_a, "setsid nohup sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2");
  output(machine_b, "setsid nohup sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2");
  EXPECT_EQ(processes_of(machine_a), 1) << "it outlives its command";
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::keep));
  EXPECT_EQ(processes_of(machine_a), 0);
  EXPECT_EQ(processes_of(machine_b), 1);
  EXPECT_EQ(hardware_.machines->run(machine_a, {.script = ":"}, {}).error().code, Errc::not_found);
  EXPECT_EQ(hardware_.machines->plug(volume_a, machine_a).error().code, Errc::not_found);
  ASSERT_TRUE(hardware_.machines->boot(machine_a));
  EXPECT_EQ(output(machine_a, "cat file; ls mnt ../volumes ../mounts"),
            "kept\n../mounts:\n\n../volumes:\n\nmnt:");
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::forget));
  EXPECT_FALSE(fs::exists(directory(machine_a)));
  EXPECT_TRUE(fs::exists(directory_of(state_.path(), volume_a)));
}

TEST_F(FilesHardware, HaltsWhileACommandRuns) {
  std::optional<Result<MachineOutcome>> outcome;
  std::jthread command{
      [&] { outcome = hardware_.machines->run(machine_a, {.script = "sleep 1000"}, {}); }};
  while (processes_of(machine_a) == 0) std::this_thread::yield();
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::forget));
  command.join();
  ASSERT_TRUE(*outcome);
  EXPECT_EQ((*outcome)->exit_status, std::nullopt);
}

TEST_F(FilesHardware, RunsCommandsLikeAnAgentDoes) {
  const MachineOutcome failing = run(machine_a, "echo out; echo err >&2; exit 7");
  EXPECT_EQ(failing.exit_status, 7);
  EXPECT_EQ(failing.out, "out\n");
  EXPECT_EQ(failing.err, "err\n");
  EXPECT_EQ(run(machine_a, "kill -9 $$").exit_status, std::nullopt);
  EXPECT_EQ(output(machine_a, "pwd; echo $HOME; echo $RUNCTL_FILES_ROOT"),
            directory(machine_a).string() + "/root\n" + directory(machine_a).string() + "/home\n" +
                directory(machine_a).string());
  output(machine_a, "mkdir -p work");
  const auto there =
      hardware_.machines->run(machine_a, {.script = "pwd", .working_directory = "/work"}, {});
  EXPECT_EQ(there->out, directory(machine_a).string() + "/root/work\n");
  const std::string padding = "exec </dev/null\n: " + std::string(300'000, 'x') + "\n";
  EXPECT_EQ(output(machine_a, padding + "echo end; ls ../commands | grep -vc pid"), "end\n1");
  const auto late = hardware_.machines->run(
      machine_a, {.script = "echo begun; sleep 1000", .timeout = std::chrono::seconds{1}}, {});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  EXPECT_EQ(late->out, "begun\n");
}

TEST_F(FilesHardware, EndsACommandThatTakesTooLongButNotWhatHasLeftIt) {
  const auto late = hardware_.machines->run(
      machine_a,
      {.script =
           "timeout 1001 sleep 1001 & setsid sleep 1002 >/dev/null 2>&1 </dev/null & sleep 1003",
       .timeout = std::chrono::seconds{1}},
      {});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  EXPECT_EQ(output(machine_a,
                   "pgrep -afx 'sleep 100[123]' | cut -d ' ' -f 2-; ls ../commands | "
                   "grep -c pid"),
            "sleep 1002\n1");
}

TEST_F(FilesHardware, CopiesSnapshotsWithAllThatAFilesystemKeeps) {
  ASSERT_TRUE(hardware_.machines->plug(volume_a, machine_a));
  const std::string script = "cd ../volumes/" + volume_a.str() + R"( || exit 1
    mkdir -p deep/er && echo one >deep/er/file && ln deep/er/file deep/second && ln -s er/file deep/link
    ln -s /nowhere dangling && mkfifo fifo && truncate -s 1G sparse && echo x >ro && chmod 4555 ro
    mkdir closed && echo in >closed/file && touch -d @1000000000.5 closed/file closed && chmod 0555 closed)";
  output(machine_a, script);
  const auto taken = hardware_.disks->snapshot(snapshot_a, volume_a);
  ASSERT_TRUE(taken) << taken.error().message;
  ASSERT_TRUE(hardware_.disks->remove(volume_b));
  ASSERT_TRUE(hardware_.disks->create(volume_b, GiB{5}, snapshot_a));
  ASSERT_TRUE(hardware_.machines->plug(volume_b, machine_b));
  const std::string list =
      "cd ../volumes/*/ && find . -printf '%p %M %n %s %T@ %l\\n' | grep -v '^[.] ' | "
      "awk '$2 ~ /^d/ { $4 = \"\" } { print }' | sort; "
      "cat deep/er/file closed/file; stat -c %i deep/second | grep -cx $(stat -c %i deep/er/file); "
      "[ $(stat -c %b sparse) -lt 100 ]";
  EXPECT_EQ(output(machine_b, list), output(machine_a, list));
  EXPECT_EQ(hardware_.disks->create(volume_b, GiB{5}, {}).error().code, Errc::conflict);
  EXPECT_EQ(hardware_.disks
                ->snapshot(*SnapshotId::parse("snap-00000000"), *VolumeId::parse("vol-00000000"))
                .error()
                .code,
            Errc::not_found);
  EXPECT_TRUE(hardware_.disks->remove(snapshot_a));
  EXPECT_TRUE(hardware_.disks->remove(snapshot_a));
  EXPECT_FALSE(fs::exists(directory_of(state_.path(), snapshot_a)));
}

TEST_F(FilesHardware, CleansUpWhatAKilledEmulatorLeft) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::keep));
  const pid_t emulator = ::fork();
  if (emulator == 0) {
    auto hardware = make_hardware(HardwareKind::files, state_.parts());
    bool fine = hardware->machines->boot(machine_a).has_value();
    fine = fine && hardware->machines->plug(volume_a, machine_a).has_value();
    const auto ran = hardware->machines->run(
        machine_a,
        {.script = mount_script(volume_a, "/mnt/data") +
                   "; setsid sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2"},
        {});
    fine = fine && ran && ran->exit_status == 0;
    (void)!::write(ends[1], fine ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char fine = '?';
  ASSERT_EQ(::read(ends[0], &fine, 1), 1);
  EXPECT_EQ(fine, 'y');
  ::kill(emulator, SIGKILL);
  ::waitpid(emulator, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(processes_of(machine_a), 1);
  EXPECT_THAT(clean_up_after_crash(state_.path()),
              testing::ElementsAre("ended 1 processes of " + machine_a.str()));
  EXPECT_EQ(processes_of(machine_a), 0);
  EXPECT_FALSE(fs::is_symlink(directory(machine_a) / "root/mnt/data"));
  EXPECT_TRUE(fs::is_empty(directory(machine_a) / "volumes"));
}

TEST(NoHardware, AnswersEverythingAndRunsNothing) {
  TemporaryState state;
  const auto hardware = make_hardware(HardwareKind::none, state.parts());
  ASSERT_TRUE(hardware);
  EXPECT_TRUE(hardware->disks->create(volume_a, GiB{1}, {}));
  EXPECT_TRUE(hardware->machines->boot(machine_a));
  EXPECT_TRUE(hardware->machines->plug(volume_a, machine_a));
  const auto ran = hardware->machines->run(machine_a, {.script = ":"}, {});
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().message, testing::HasSubstr("no hardware"));
}

}  // namespace
}  // namespace runctl::emulator
