#include <array>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <string>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "emulator/hardware/image_disks.hpp"
#include "emulator/hardware/temporary_state.hpp"
#include "io/detached_process.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

using testing::HasSubstr;

// Ends a script that has put a `sleep` into the background.
const std::string until_it_sleeps = " until pgrep -x sleep >/dev/null; do sleep 0.01; done";

// Loop devices whose image is below `state`, as the kernel tells.
std::vector<std::string> loops_below(const std::filesystem::path& state) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/sys/block"}) {
    const auto backing = read_file(entry.path() / "loop/backing_file");
    if (backing && backing->starts_with(state.string())) found.push_back(entry.path().filename());
  }
  return found;
}

class BlockHardware : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto works = block_hardware_works(state_.parts()); !works) {
      GTEST_SKIP() << "no block hardware here: " << works.error().message;
    }
    hardware_ = *make_hardware(HardwareKind::block, state_.parts());
    for (const VolumeId& volume : {volume_a, volume_b}) {
      ASSERT_TRUE(hardware_.disks->create(volume, GiB{1}, {}));
    }
  }
  void TearDown() override {
    hardware_ = {};
    EXPECT_THAT(loops_below(state_.path()), testing::IsEmpty());
    EXPECT_THAT(read_file("/proc/self/mountinfo").value(),
                testing::Not(HasSubstr(state_.path().string())));
  }

  MachineOutcome run(const InstanceId& instance, const std::string& script) {
    auto outcome = hardware_.machines->run(instance, {.script = script}, {});
    if (outcome) return *std::move(outcome);
    ADD_FAILURE() << outcome.error().message;
    return {};
  }
  // What the script prints, when it succeeds.
  std::string output(const InstanceId& instance, const std::string& script) {
    const MachineOutcome outcome = run(instance, script);
    EXPECT_EQ(outcome.exit_status, 0) << script << "\n" << outcome.out << outcome.err;
    return std::string{trim(outcome.out)};
  }
  void boot(const InstanceId& instance) {
    const auto booted = hardware_.machines->boot(instance);
    ASSERT_TRUE(booted) << booted.error().message;
  }
  std::string plug(const VolumeId& volume, const InstanceId& instance) {
    const auto plugged = hardware_.machines->plug(volume, instance);
    EXPECT_TRUE(plugged) << plugged.error().message;
    return plugged.value_or("");
  }

  TemporaryState state_;
  Hardware hardware_;
};

TEST_F(BlockHardware, ShowsEachMachineItsOwnVolumesOnly) {
  boot(machine_a);
  boot(machine_b);
  EXPECT_EQ(plug(volume_a, machine_a), "/dev/nvme1n1");
  EXPECT_EQ(plug(volume_b, machine_b), "/dev/nvme1n1");
  const std::string look =
      "ls /dev/ | grep -E '^(nvme|loop|vd|sd|xvd|dm)'; cat /sys/block/*/device/serial; "
      "readlink -f /dev/disk/by-id/*";
  EXPECT_EQ(output(machine_a, look), "nvme1n1\nvol0123456789abcdef0\n/dev/nvme1n1");
  EXPECT_EQ(output(machine_b, look), "nvme1n1\nvol0fedcba9876543210\n/dev/nvme1n1");
  EXPECT_EQ(output(machine_a, "find /dev -type b"), "/dev/nvme1n1");
  EXPECT_EQ(output(machine_a, "blockdev --getsize64 /dev/nvme1n1; cat /sys/block/nvme1n1/size"),
            "1073741824\n2097152");
  EXPECT_EQ(output(machine_a,
                   "set -- $(stat -c '%t %T' /dev/nvme1n1); "
                   "cat /sys/dev/block/$((0x$1)):$((0x$2))/device/model"),
            "Amazon Elastic Block Store");
  EXPECT_EQ(output(machine_a, "lsblk -dno NAME,SIZE,SERIAL /dev/nvme1n1 | tr -s ' '"),
            "nvme1n1 1G vol0123456789abcdef0");
}

TEST_F(BlockHardware, UsesTheLowestFreeDeviceNumber) {
  boot(machine_a);
  EXPECT_EQ(plug(volume_a, machine_a), "/dev/nvme1n1");
  EXPECT_EQ(plug(volume_b, machine_a), "/dev/nvme2n1");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  EXPECT_EQ(output(machine_a, "ls -d /dev/nvme*; ls /sys/block /sys/class/block"),
            "/dev/nvme2n1\n/sys/block:\nnvme2n1\n\n/sys/class/block:\nnvme2n1");
  EXPECT_EQ(plug(volume_a, machine_a), "/dev/nvme1n1");
  EXPECT_EQ(plug(volume_a, machine_a), "/dev/nvme1n1") << "a second time is the same";
  EXPECT_EQ(loops_below(state_.path()).size(), 2U);
}

TEST_F(BlockHardware, RefusesToUnplugWhatIsMounted) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a, "mkfs.ext4 -q " + device + " && mkdir /data && mount " + device + " /data");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy);
  // In a mount namespace of which no process but a sleeping one knows.
  output(machine_a, "setsid unshare -m sleep 1000 >/dev/null 2>&1 </dev/null &" + until_it_sleeps +
                        "; umount /data");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy);
  output(machine_a, "pkill -x sleep; while pgrep -x sleep >/dev/null; do sleep 0.01; done");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
}

TEST_F(BlockHardware, RefusesToUnplugWhatAProcessHasOpen) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a,
         "setsid sleep 1000 3<" + device + " >/dev/null 2>&1 </dev/null &" + until_it_sleeps);
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::busy);
  EXPECT_EQ(output(machine_a, "ls " + device), device) << "still there";
  output(machine_a, "pkill -x sleep; while pgrep -x sleep >/dev/null; do sleep 0.01; done");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
}

TEST_F(BlockHardware, KeepsDataWhenAVolumeMovesToAnotherMachine) {
  boot(machine_a);
  boot(machine_b);
  std::string device = plug(volume_a, machine_a);
  output(machine_a, "mkfs.ext4 -q " + device + " && mkdir -p /data && mount " + device +
                        " /data && echo precious >/data/file && umount /data");
  ASSERT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  device = plug(volume_a, machine_b);
  EXPECT_EQ(output(machine_b, "mkdir -p /data && mount " + device +
                                  " /data && cat /data/file && umount /data"),
            "precious");
}

TEST_F(BlockHardware, GivesAMultiAttachVolumeOneDevicePerMachine) {
  boot(machine_a);
  boot(machine_b);
  plug(volume_a, machine_a);
  plug(volume_a, machine_b);
  EXPECT_EQ(loops_below(state_.path()).size(), 2U);
  output(machine_a, "echo from-a | dd of=/dev/nvme1n1 conv=fsync 2>/dev/null");
  EXPECT_EQ(output(machine_b, "head -c 6 /dev/nvme1n1"), "from-a");
  EXPECT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  EXPECT_EQ(output(machine_b, "head -c 6 /dev/nvme1n1"), "from-a") << "the other has it still";
}

TEST_F(BlockHardware, AMachineSeesItsVolumeGrowWhileItIsMounted) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a, "mkfs.ext4 -q " + device + " && mkdir /data && mount " + device +
                        " /data && echo kept >/data/file");
  ASSERT_TRUE(hardware_.disks->grow(volume_a, GiB{3}));
  EXPECT_EQ(output(machine_a, "blockdev --getsize64 " + device), "1073741824") << "not told yet";
  const auto shown = hardware_.machines->show_size(volume_a);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(output(machine_a, "blockdev --getsize64 " + device + "; cat /sys/block/nvme1n1/size"),
            "3221225472\n6291456");
  // Unmounted, because growing a mounted ext4 takes CAP_SYS_RESOURCE, which containers may lack.
  EXPECT_EQ(
      output(machine_a, "cat /data/file; umount /data; e2fsck -fp " + device +
                            " >/dev/null; resize2fs " + device + " >/dev/null 2>&1; dumpe2fs -h " +
                            device + " 2>/dev/null | grep -E '^Block count'"),
      "kept\nBlock count:              786432");
  EXPECT_FALSE(hardware_.disks->grow(volume_a, GiB{2})) << "a disk does not shrink";
  EXPECT_TRUE(hardware_.machines->show_size(volume_b)) << "nobody has it: nothing to show";
}

TEST_F(BlockHardware, ACopyHoldsWhatItsSourceHeldAndIsItsOwn) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a, "mkfs.ext4 -q " + device + " && mkdir /data && mount " + device +
                        " /data && echo before >/data/file && sync");
  const VolumeId copy = *VolumeId::parse("vol-0cccccccccccccccc");
  ASSERT_TRUE(hardware_.disks->create(copy, GiB{2}, volume_a));
  output(machine_a, "echo after >/data/file && sync");
  const std::string copied = plug(copy, machine_a);
  EXPECT_EQ(output(machine_a, "mkdir /copy && mount " + copied +
                                  " /copy && cat /data/file /copy/file && blockdev --getsize64 " +
                                  copied + " && umount /copy /data"),
            "after\nbefore\n2147483648");
}

TEST_F(BlockHardware, ForgetsAReadOnlyMarkWithTheAttachment) {
  boot(machine_a);
  plug(volume_a, machine_a);
  EXPECT_EQ(output(machine_a, "blockdev --setro /dev/nvme1n1; blockdev --getro /dev/nvme1n1"), "1");
  ASSERT_EQ(hardware_.machines->unplug(volume_a, machine_a), Unplugged::done);
  plug(volume_a, machine_a);
  EXPECT_EQ(output(machine_a, "blockdev --getro /dev/nvme1n1"), "0");
}

TEST_F(BlockHardware, EndsEveryProcessWhenAMachineHalts) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a,
         "mkfs.ext4 -q " + device + " && mkdir /data && mount " + device +
             " /data && echo kept >/data/file && echo kept >/etc/kept && echo gone >/tmp/gone");
  output(machine_a,
         "cd /data; setsid nohup sleep 12345 >/data/log 2>&1 </dev/null &" + until_it_sleeps);
  EXPECT_EQ(output(machine_a, "pgrep -cx sleep"), "1") << "it outlives its command";
  const std::string boot_id = output(machine_a, "cat /proc/sys/kernel/random/boot_id");
  const auto halted = hardware_.machines->halt(machine_a, Machines::Files::keep);
  ASSERT_TRUE(halted) << halted.error().message;
  EXPECT_THAT(loops_below(state_.path()), testing::IsEmpty());
  EXPECT_EQ(hardware_.machines->run(machine_a, {.script = ":"}, {}).error().code, Errc::not_found);
  EXPECT_EQ(hardware_.machines->plug(volume_a, machine_a).error().code, Errc::not_found);
  boot(machine_a);
  EXPECT_EQ(run(machine_a, "pgrep -x sleep").exit_status, 1);
  EXPECT_EQ(output(machine_a, "cat /etc/kept; ls /tmp"), "kept");
  EXPECT_NE(output(machine_a, "cat /proc/sys/kernel/random/boot_id"), boot_id);
  plug(volume_a, machine_a);
  EXPECT_EQ(output(machine_a, "mount /dev/nvme1n1 /data && cat /data/file"), "kept");
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::forget));
  EXPECT_FALSE(std::filesystem::exists(state_.path() / "instances" / machine_a.str()));
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::forget));
}

TEST_F(BlockHardware, HaltsAMachineThatWritesToAFrozenFilesystem) {
  boot(machine_a);
  plug(volume_a, machine_a);
  output(
      machine_a,
      "mkfs.ext4 -q /dev/nvme1n1 && mkdir /data && mount /dev/nvme1n1 /data && fsfreeze -f /data");
  output(machine_a, "setsid sh -c 'echo stuck >/data/file' >/dev/null 2>&1 </dev/null & sleep 0.1");
  const auto halted = hardware_.machines->halt(machine_a, Machines::Files::keep);
  EXPECT_TRUE(halted) << halted.error().message;
}

TEST_F(BlockHardware, IsSeparateFromTheHostAndFromOtherMachines) {
  std::ofstream{state_.path() / "secret"} << "of the host";
  boot(machine_a);
  boot(machine_b);
  EXPECT_EQ(
      output(machine_a, "uname -n; cat /etc/hostname; cat /proc/1/comm; pwd; id -u; echo $HOME"),
      machine_a.str() + "\n" + machine_a.str() + "\nmachine\n/\n0\n/root");
  output(machine_a, "echo mine >/etc/only-here; echo mine >/run/only-here; touch /tmp/x");
  EXPECT_EQ(run(machine_b, "cat /etc/only-here /run/only-here").exit_status, 1);
  EXPECT_FALSE(std::filesystem::exists("/etc/only-here"));
  EXPECT_FALSE(std::filesystem::exists("/run/only-here"));
  EXPECT_EQ(
      output(machine_a, "cat " + state_.path().string() + "/secret 2>/dev/null || echo hidden"),
      "hidden");
  EXPECT_THAT(output(machine_a, "cut -d' ' -f5 /proc/self/mountinfo"),
              testing::Not(HasSubstr(state_.path().string() + "/")));
  EXPECT_EQ(output(machine_a,
                   "echo x >/dev/null && head -c 4 /dev/zero | wc -c && test -c /dev/ptmx && "
                   "cat </dev/fd/0 && echo ok >/dev/stdout"),
            "4\nok");
  EXPECT_EQ(output(machine_a, "ps ax -o comm= | grep -c machine"), "1")
      << "sees no process but its own";
}

TEST_F(BlockHardware, RunsCommandsLikeAnAgentDoes) {
  boot(machine_a);
  const MachineOutcome failing = run(machine_a, "echo out; echo err >&2; exit 7");
  EXPECT_EQ(failing.exit_status, 7);
  EXPECT_EQ(failing.out, "out\n");
  EXPECT_EQ(failing.err, "err\n");
  EXPECT_EQ(run(machine_a, "exit 255").exit_status, 255);
  EXPECT_EQ(run(machine_a, "kill -9 $$").exit_status, std::nullopt);
  EXPECT_EQ(output(machine_a, "env | grep -vE '^(_|PWD|OLDPWD|SHLVL)=' | sort"),
            "HOME=/root\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
            "sbin:/bin");
  EXPECT_EQ(output(machine_a, "ls /proc/self/fd | wc -l"), "4") << "0 to 2, and that of ls itself";
  // What an argument could not carry; and a script that takes its own standard input away.
  const std::string padding = "exec </dev/null\n: " + std::string(300'000, 'x') + "\n";
  EXPECT_EQ(output(machine_a, padding + "echo end"), "end");
  const auto there = hardware_.machines->run(
      machine_a, {.script = "pwd; umask", .working_directory = "/usr/lib"}, {});
  EXPECT_EQ(there->out, "/usr/lib\n0022\n");
  const auto limited = hardware_.machines->run(
      machine_a, {.script = "yes | head -c 100000", .output_limit = 24'000}, {});
  EXPECT_EQ(limited->out.size(), 24'000U);
  EXPECT_EQ(output(machine_a, "ls -A /run/commands | wc -l"), "1") << "only this command's own";
}

TEST_F(BlockHardware, EndsACommandThatTakesTooLongWithAllItStarted) {
  boot(machine_a);
  const auto started = std::chrono::steady_clock::now();
  const auto late =
      hardware_.machines->run(machine_a,
                              {.script = "echo begun; trap '' TERM; sleep 1000 & sleep 1000; wait",
                               .timeout = std::chrono::seconds{1}},
                              {});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  EXPECT_EQ(late->exit_status, std::nullopt);
  EXPECT_EQ(late->out, "begun\n");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds{4});
  EXPECT_EQ(run(machine_a, "pgrep -x sleep").exit_status, 1);
  std::stop_source stop;
  stop.request_stop();
  const auto cancelled =
      hardware_.machines->run(machine_a, {.script = "sleep 1000"}, stop.get_token());
  EXPECT_EQ(cancelled.error().code, Errc::cancelled);
}

TEST_F(BlockHardware, SparesWhatHasLeftTheCommandThatItEnds) {
  boot(machine_a);
  const std::string script =
      "timeout 1001 sleep 1001 & setsid sleep 1002 >/dev/null 2>&1 </dev/null &"
      "(setsid sh -c 'sleep 1003 & sleep 1004 &' >/dev/null 2>&1 </dev/null) & sleep 1005";
  const auto late = hardware_.machines->run(
      machine_a, {.script = script, .timeout = std::chrono::seconds{1}}, {});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  // 1003 and 1004 are of a session whose leader has ended.
  EXPECT_EQ(output(machine_a, "pgrep -ax sleep | cut -d ' ' -f 3 | sort"), "1002\n1003\n1004");
}

TEST_F(BlockHardware, LosesWithItsPowerWhatHadNotReachedTheDisk) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a,
         "mkfs.ext4 -q " + device + " && mkdir /data && mount " + device +
             " /data && echo kept >/data/synced && sync /data/synced && sync && "
             "echo lost >/data/unsynced; setsid sleep 1000 >/dev/null 2>&1 </dev/null &" +
             until_it_sleeps);
  const auto cut = hardware_.machines->cut_power(machine_a);
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(hardware_.machines->run(machine_a, {.script = ":"}, {}).error().code, Errc::not_found);
  EXPECT_THAT(loops_below(state_.path()), testing::IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(image_of(state_.path(), volume_a).string() + ".cut.tmp"));
  boot(machine_a);
  plug(volume_a, machine_a);
  EXPECT_EQ(output(machine_a, "dumpe2fs -h " + device +
                                  " 2>/dev/null | grep -o needs_recovery; mount " + device +
                                  " /data; cat /data/synced; cat /data/unsynced 2>/dev/null; "
                                  "pgrep -x sleep; umount /data"),
            "needs_recovery\nkept");
}

TEST_F(BlockHardware, LosesNothingOfAVolumeThatAnotherMachineHas) {
  boot(machine_a);
  boot(machine_b);
  plug(volume_a, machine_a);
  plug(volume_a, machine_b);
  ASSERT_TRUE(hardware_.machines->cut_power(machine_a));
  output(machine_b, "echo from-b | dd of=/dev/nvme1n1 conv=fsync 2>/dev/null");
  boot(machine_a);
  plug(volume_a, machine_a);
  EXPECT_EQ(output(machine_a, "head -c 6 /dev/nvme1n1"), "from-b") << "still one disk";
}

// Writes counters to both ends of the device, the first end first: at no moment is the other ahead.
TEST_F(BlockHardware, TakesASnapshotOfOneMomentWhileItIsWrittenTo) {
  boot(machine_a);
  const std::string device = plug(volume_a, machine_a);
  output(machine_a, "dd if=/dev/urandom of=" + device + " bs=1M count=64 seek=1 2>/dev/null");
  output(machine_a, R"(cat >/run/writer.py <<'END'
import mmap, os, sys
device = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
block = mmap.mmap(-1, 4096)
number = 0
while True:
    number += 1
    block[:8] = number.to_bytes(8, "little")
    os.pwrite(device, block, 0)
    os.pwrite(device, block, 1 << 29)
    if number == 1:
        open("/run/written", "w").close()
END
setsid python3 /run/writer.py )" +
                        device +
                        " >/dev/null 2>&1 </dev/null & "
                        "until [ -e /run/written ]; do sleep 0.01; done");
  const auto number_at = [](int image, off_t offset) {
    std::uint64_t number = 0;
    EXPECT_EQ(::pread(image, &number, sizeof number, offset), 8);
    return number;
  };
  std::uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    const auto taken = hardware_.disks->snapshot(snapshot_a, volume_a);
    ASSERT_TRUE(taken) << taken.error().message;
    const UniqueFd image{::open(image_of(state_.path(), snapshot_a).c_str(), O_RDONLY | O_CLOEXEC)};
    const auto first = number_at(image.get(), 0);
    const auto second = number_at(image.get(), off_t{1} << 29U);
    EXPECT_GE(first, second);
    EXPECT_LE(first, second + 1) << "a later write is in it, an earlier one is not";
    EXPECT_GE(first, last);
    last = first;
    ASSERT_TRUE(hardware_.disks->remove(snapshot_a));
  }
  EXPECT_GT(last, 0U);
  EXPECT_EQ(output(machine_a, "pgrep -cx python3; ps -o stat= -C python3 | grep -c T || true"),
            "1\n0")
      << "the writer goes on";
}

TEST_F(BlockHardware, IsNotHeldByAProcessThatACommandLeavesBehind) {
  boot(machine_a);
  const auto started = std::chrono::steady_clock::now();
  output(machine_a, "sleep 1000 & setsid yes & echo done;" + until_it_sleeps);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds{2});
  EXPECT_EQ(output(machine_a, "pgrep -cx sleep"), "1");
}

TEST_F(BlockHardware, LeavesNothingWhenTheEmulatorIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t emulator = ::fork();
  if (emulator == 0) {
    auto hardware = make_hardware(HardwareKind::block, state_.parts());
    bool fine = hardware->machines->boot(machine_a).has_value();
    fine = fine && hardware->machines->plug(volume_a, machine_a).has_value();
    const auto ran = hardware->machines->run(
        machine_a,
        {.script = "mkfs.ext4 -q /dev/nvme1n1 && mkdir /data && mount /dev/nvme1n1 /data && "
                   "(setsid sleep 54321 >/data/log 2>&1 </dev/null &) && fsfreeze -f /data"},
        {});
    fine = fine && ran && ran->exit_status == 0;
    (void)!::write(ends[1], fine ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char fine = '?';
  ASSERT_EQ(::read(ends[0], &fine, 1), 1);
  EXPECT_EQ(fine, 'y');
  const auto record = read_file(state_.path() / "instances" / machine_a.str() / "process");
  ASSERT_TRUE(record) << record.error().message;
  const int first = std::stoi(*record);
  EXPECT_TRUE(process_start(first));
  EXPECT_EQ(loops_below(state_.path()).size(), 1U);
  ::kill(emulator, SIGKILL);
  ::waitpid(emulator, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  RealClock clock;
  for (int i = 0; i < 200 && !(loops_below(state_.path()).empty() && !process_start(first)); ++i) {
    (void)clock.sleep_until(clock.ticks() + std::chrono::milliseconds{10}, {});
  }
  EXPECT_FALSE(process_start(first));
  EXPECT_THAT(loops_below(state_.path()), testing::IsEmpty());
  EXPECT_THAT(clean_up_after_crash(state_.path()), testing::IsEmpty()) << "there was nothing to do";
  boot(machine_a);
  EXPECT_EQ(run(machine_a, "pgrep -x sleep").exit_status, 1);
}

TEST_F(BlockHardware, NoticesAMachineThatEndedByItself) {
  boot(machine_a);
  plug(volume_a, machine_a);
  const auto record = read_file(state_.path() / "instances" / machine_a.str() / "process");
  ::kill(std::stoi(*record), SIGKILL);
  RealClock clock;
  (void)clock.sleep_until(clock.ticks() + std::chrono::milliseconds{50}, {});
  EXPECT_EQ(hardware_.machines->run(machine_a, {.script = ":"}, {}).error().code, Errc::not_found);
  boot(machine_a);
  EXPECT_EQ(output(machine_a, "ls /sys/block"), "");
  EXPECT_EQ(plug(volume_a, machine_a), "/dev/nvme1n1");
}

TEST_F(BlockHardware, DetachesLoopDevicesThatSomethingElseKept) {
  const std::string image = image_of(state_.path(), volume_a);
  ASSERT_EQ(std::system(("losetup -f " + image).c_str()), 0);
  const auto left = loops_below(state_.path());
  ASSERT_EQ(left.size(), 1U);
  EXPECT_THAT(clean_up_after_crash(state_.path()),
              testing::ElementsAre("detached " + left.front()));
  EXPECT_THAT(loops_below(state_.path()), testing::IsEmpty());
}

TEST_F(BlockHardware, EndsNoProcessThatOnlyHasTheNumberOfAMachine) {
  const auto directory = state_.path() / "instances" / machine_a.str();
  std::filesystem::create_directories(directory);
  const pid_t bystander = ::fork();
  if (bystander == 0) {
    ::pause();
    ::_exit(0);
  }
  std::ofstream{directory / "process"} << bystander << " 1\n";
  EXPECT_THAT(clean_up_after_crash(state_.path()), testing::IsEmpty());
  EXPECT_EQ(::kill(bystander, 0), 0);
  std::ofstream{directory / "process"} << bystander << ' ' << *process_start(bystander) << '\n';
  EXPECT_THAT(clean_up_after_crash(state_.path()),
              testing::ElementsAre("ended machine " + machine_a.str()));
  EXPECT_FALSE(process_start(bystander));
}

TEST_F(BlockHardware, WorksWhereTheStateCannotCarryAnOverlay) {
  // Upper layers on an overlay are refused by the kernel.
  const auto base = state_.path() / "base";
  for (const char* name : {"lower", "upper", "work", "merged"})
    std::filesystem::create_directories(base / name);
  const std::string options = "lowerdir=" + (base / "lower").string() +
                              ",upperdir=" + (base / "upper").string() +
                              ",workdir=" + (base / "work").string();
  ASSERT_EQ(::mount("overlay", (base / "merged").c_str(), "overlay", 0, options.c_str()), 0);
  HardwareParts parts = state_.parts();
  parts.state = base / "merged";
  auto hardware = make_hardware(HardwareKind::block, parts);
  const auto booted = hardware->machines->boot(machine_a);
  EXPECT_TRUE(booted) << booted.error().message;
  const auto ran =
      hardware->machines->run(machine_a, {.script = "echo x >/etc/here && cat /etc/here"}, {});
  hardware = {};
  EXPECT_EQ(::umount((base / "merged").c_str()), 0);
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->out, "x\n");
}

TEST_F(BlockHardware, DoesNotHoldTheHostsMounts) {
  const auto point = state_.path() / "mounted";
  std::filesystem::create_directories(point);
  ASSERT_EQ(::mount("tmpfs", point.c_str(), "tmpfs", 0, "size=1m"), 0);
  boot(machine_a);
  EXPECT_EQ(::umount(point.c_str()), 0);
  const std::string record = *read_file(state_.path() / "instances" / machine_a.str() / "process");
  const auto mounts = read_file("/proc/" + record.substr(0, record.find(' ')) + "/mountinfo");
  ASSERT_TRUE(mounts);
  EXPECT_THAT(*mounts, testing::Not(HasSubstr("/mounted")));
  EXPECT_THAT(*mounts, testing::Not(HasSubstr("devtmpfs")));
}

// A user of the host with a key.
class KeyHolder {
 public:
  KeyHolder() {
    std::filesystem::create_directories(home / ".aws");
    std::ofstream{home / ".aws/credentials"} << "secret";
  }
  KeyHolder(const KeyHolder&) = delete;
  KeyHolder& operator=(const KeyHolder&) = delete;
  KeyHolder(KeyHolder&&) = delete;
  KeyHolder& operator=(KeyHolder&&) = delete;
  ~KeyHolder() {
    std::error_code ignored;
    std::filesystem::remove_all(home, ignored);
  }
  const std::filesystem::path home = "/home/runctl-hardware-test-" + std::to_string(::getpid());
};

TEST_F(BlockHardware, HidesTheKeysOfTheHostsUsers) {
  const KeyHolder user;
  const std::string credentials = user.home / ".aws/credentials";
  boot(machine_a);
  EXPECT_EQ(output(machine_a, "ls -A " + user.home.string()), "");
  EXPECT_NE(run(machine_a, "cat " + credentials).exit_status, 0);
  output(machine_a, "mkdir " + user.home.string() + "/.aws && echo own >" + credentials);
  ASSERT_TRUE(hardware_.machines->halt(machine_a, Machines::Files::keep));
  boot(machine_a);
  EXPECT_EQ(output(machine_a, "cat " + credentials), "own") << "a machine's own are its own";
}

}  // namespace
}  // namespace runctl::emulator
