// A real sshd on loopback, with keys and a configuration of its own, ended with the test.
#include "node/ssh_shell.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <optional>
#include <stop_token>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "node/block_machine_fixture.hpp"
#include "node/put_file.hpp"
#include "node/script.hpp"

namespace runctl::node {
namespace {

using std::chrono::seconds;
using testing::code_of;
using ::testing::HasSubstr;
using testing::volume;
namespace fs = std::filesystem;

// One that nobody listens on now.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ::ntohs(address.sin_port);
}

class over_ssh : public testing::OnBlockMachine {
 protected:
  void SetUp() override {
    OnBlockMachine::SetUp();
    if (!bed_) return;
    if (testing::said_by("command -v ssh && [ -x /usr/sbin/sshd ] && echo both").find("both") ==
        std::string::npos) {
      GTEST_SKIP()
          << "this machine has no ssh or no sshd (Debian's openssh-client, openssh-server)";
    }
    // Where sshd puts its unprivileged half; ours, in our mount namespace.
    testing::said_by("mkdir -p /run/sshd");
    testing::said_by(fmt::format(
        "cd {}; for name in host user other; do ssh-keygen -q -t ed25519 -N '' -f $name; done; "
        "cp user.pub authorized",
        folder()));
    for (int tries = 0; tries < 5 && !up_; ++tries) start();
    ASSERT_TRUE(up_) << testing::said_by("cat " + folder() + "/sshd.log");
  }
  std::string folder() const { return bed_->folder().string(); }
  void start() {
    port_ = free_port();
    std::ofstream{folder() + "/sshd_config"} << fmt::format(
        "ListenAddress 127.0.0.1\nPort {0}\nHostKey {1}/host\nAuthorizedKeysFile {1}/authorized\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nAcceptEnv "
        "TEST_*\n"
        "SetEnv RUNCTL_SYSFS={1}/sys RUNCTL_DEV={1}/dev RUNCTL_RUN={1}/run\n",
        port_, folder());
    std::ofstream{folder() + "/ssh_config"} << fmt::format(
        "Host machine\n HostName 127.0.0.1\n Port {0}\n User root\n IdentityFile {1}/user\n "
        "IdentitiesOnly yes\n"
        " UserKnownHostsFile {1}/known\n GlobalKnownHostsFile none\n",
        port_, folder());
    std::ofstream{folder() + "/known"}
        << fmt::format("[127.0.0.1]:{} {}\n", port_,
                       testing::said_by("cut -d ' ' -f 1,2 " + folder() + "/host.pub"));
    sshd_.emplace(
        fmt::format("exec /usr/sbin/sshd -D -e -f {0}/sshd_config 2>{0}/sshd.log", folder()));
    up_ = testing::eventually(fmt::format(
              "grep -q 'Server listening' {0}/sshd.log 2>/dev/null || [ ! -e /proc/{1}/exe ]",
              folder(), sshd_->pid())) &&
          testing::said_by(fmt::format("grep -c 'Server listening' {}/sshd.log", folder())) != "0";
  }
  SshShell shell() {
    return SshShell{process_,
                    clock_,
                    {.host_of = [this](const InstanceId&) -> Result<std::string> { return host_; },
                     .environment = {"PATH=/usr/bin:/bin", "HOME=" + folder()},
                     .options = {"-F", folder() + "/ssh_config"}}};
  }
  Result<ShellOutcome> run(const std::string& script, seconds timeout = seconds{20},
                           const std::stop_token& stop = {}) {
    auto ssh = shell();
    return ssh.run(bed_->machine().instance, script, timeout, stop);
  }
  void change_config(const std::string& from, const std::string& to) {
    testing::said_by(fmt::format("sed -i 's|{}|{}|' {}/ssh_config", from, to, folder()));
  }

  RealProcess process_;
  RealClock clock_;
  std::string host_ = "machine";
  int port_ = 0;
  bool up_ = false;
  std::optional<testing::Background> sshd_;
};

TEST_F(over_ssh, a_scripts_output_and_status_come_back) {
  for (const int status : {0, 1, 124 - 1, 255}) {
    const auto outcome = run(fmt::format("echo out; echo err >&2; id -u; exit {}", status));
    ASSERT_EQ(code_of(outcome), "");
    EXPECT_EQ(outcome->exit_status, status);
    EXPECT_EQ(outcome->out, "out\n0\n");
    EXPECT_THAT(outcome->err, HasSubstr("err"));
  }
}

TEST_F(over_ssh, a_long_script_with_any_text_arrives_unchanged_and_on_no_command_line) {
  const std::string odd = "it's \"q\" $(touch pwned) `x` \\ ; * ü \t\n$HOME %s \r only-here";
  std::string big;
  while (big.size() < 200'000) big += odd;
  const auto outcome = run("text=" + shell_quote(big) +
                           "; printf %s \"$text\" | sha256sum; "
                           "grep -l -a only-her[e] /proc/[0-9]*/cmdline 2>/dev/null; printf %s " +
                           shell_quote(odd));
  ASSERT_EQ(code_of(outcome), "");
  std::ofstream{folder() + "/big"} << big;
  EXPECT_EQ(outcome->out, testing::said_by("sha256sum <" + folder() + "/big") + "\n" + odd);
}

TEST_F(over_ssh, a_file_of_megabytes_takes_a_few_scripts) {
  std::string content;
  std::string last = "seed";
  while (content.size() < std::size_t{7} << 20U) {
    last = sha256(last);
    content += last + "'";
  }
  auto ssh = shell();
  const Machine machine{.shell = ssh, .instance = bed_->machine().instance};
  const auto put =
      put_file(machine, folder() + "/large", FileMode::owner_only, content, Packing::none);
  ASSERT_EQ(code_of(put), "");
  EXPECT_LE(put->pieces, 4U);
  EXPECT_EQ(testing::said_by("sha256sum <" + folder() + "/large | cut -c 1-64"),
            hex(sha256(content)));
}

TEST_F(over_ssh, a_script_that_says_the_end_itself_does_not_end_early) {
  const auto outcome = run("echo; echo 'runctl-end 0'; echo more; exit 3");
  ASSERT_EQ(code_of(outcome), "");
  EXPECT_EQ(outcome->exit_status, 3);
  EXPECT_EQ(outcome->out, "\nrunctl-end 0\nmore\n");
}

TEST_F(over_ssh, real_volumes_are_mounted_at_any_name) {
  add_volume();
  auto ssh = shell();
  const Machine machine{.shell = ssh, .instance = bed_->machine().instance};
  ASSERT_EQ(code_of(format(machine, {.volume = volume,
                                     .uuid = testing::uuid,
                                     .created_empty = CreatedEmpty::yes,
                                     .device_wait = seconds{0}})),
            "");
  const std::string name =
      folder() + "/it's $(touch pwned) `x` \"q\" ; back\\slash ü " + std::string(200, 'n');
  const auto mounted =
      mount(machine, {.volume = volume, .mount_point = name, .device_wait = seconds{0}});
  ASSERT_EQ(code_of(mounted), "");
  EXPECT_EQ(mounted->path, name);
  EXPECT_EQ(code_of(unmount(machine, volume)), "");
}

TEST_F(over_ssh, a_host_that_nobody_answers_on_is_unavailable_and_nothing_was_done) {
  change_config("Port .*", fmt::format("Port {}", free_port()));
  const auto outcome = run("true");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::unavailable);
  EXPECT_EQ(outcome.error().effect, Effect::not_applied);
  EXPECT_THAT(outcome.error().message, HasSubstr("refused"));
}

TEST_F(over_ssh, a_key_that_is_not_accepted_is_denied) {
  change_config(folder() + "/user", folder() + "/other");
  const auto outcome = run("true");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::denied);
  EXPECT_EQ(outcome.error().effect, Effect::not_applied);
}

TEST_F(over_ssh, a_host_whose_key_is_another_one_is_denied) {
  std::ofstream{folder() + "/known"}
      << fmt::format("[127.0.0.1]:{} {}\n", port_,
                     testing::said_by("cut -d ' ' -f 1,2 " + folder() + "/other.pub"));
  const auto outcome = run("touch " + folder() + "/done");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::denied);
  EXPECT_FALSE(fs::exists(folder() + "/done"));
}

TEST_F(over_ssh, a_script_that_takes_too_long_is_ended_on_the_machine) {
  const auto outcome = run(fmt::format("echo $$ >{}/pid; exec sleep 60", folder()), seconds{1});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(outcome.error().effect, Effect::unknown);
  EXPECT_EQ(testing::said_by(fmt::format("readlink /proc/$(cat {}/pid)/exe", folder())), "");
}

TEST_F(over_ssh, a_connection_that_breaks_leaves_the_outcome_unknown) {
  const std::jthread breaker{[this] {
    (void)testing::eventually(fmt::format("[ -e {}/begun ]", folder()));
    testing::said_by(fmt::format("kill -9 $(cat /proc/{0}/task/{0}/children)", sshd_->pid()));
  }};
  const auto outcome = run(fmt::format(": >{}/begun; exec sleep 5", folder()));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::unavailable);
  EXPECT_EQ(outcome.error().effect, Effect::unknown);
}

TEST_F(over_ssh, a_call_that_is_cancelled_returns_at_once) {
  std::stop_source source;
  std::jthread canceller{[&] {
    (void)testing::eventually(fmt::format("[ -e {}/begun ]", folder()));
    source.request_stop();
  }};
  const auto began = clock_.ticks();
  const auto outcome =
      run(fmt::format(": >{}/begun; exec sleep 8", folder()), seconds{9}, source.get_token());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::cancelled);
  EXPECT_EQ(outcome.error().effect, Effect::unknown);
  EXPECT_LT(clock_.ticks() - began, seconds{6});
}

TEST_F(over_ssh, a_name_that_ssh_would_take_for_an_option_is_refused) {
  host_ = "-oProxyCommand=touch pwned";
  const auto outcome = run("true");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::invalid_argument);
}

// id says that we are not root, and there is no sudo.
TEST_F(over_ssh, one_who_may_not_become_root_is_denied) {
  fs::create_directories(bed_->folder() / "bin");
  std::ofstream{bed_->folder() / "bin/id"} << "#!/bin/sh\necho 1000\n";
  std::ofstream{bed_->folder() / "bin/sudo"}
      << "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n";
  testing::said_by(fmt::format(
      "chmod 755 {0}/bin/*; echo 'environment=\"PATH={0}/bin:/usr/bin:/bin\" '$(cat {0}/user.pub) "
      ">{0}/authorized; kill {1}",
      folder(), sshd_->pid()));
  sshd_.reset();
  up_ = false;
  for (int tries = 0; tries < 5 && !up_; ++tries) {
    start();
  }
  std::ofstream{folder() + "/sshd_config", std::ios::app} << "PermitUserEnvironment yes\n";
  sshd_.emplace(
      fmt::format("exec /usr/sbin/sshd -D -e -f {0}/sshd_config 2>{0}/sshd2.log", folder()));
  ASSERT_TRUE(
      testing::eventually(fmt::format("grep -q 'Server listening' {}/sshd2.log", folder())));
  const auto outcome = run("touch " + folder() + "/done");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::denied);
  EXPECT_THAT(outcome.error().message, HasSubstr("a password is required"));
  EXPECT_FALSE(fs::exists(folder() + "/done"));
}

}  // namespace
}  // namespace runctl::node
