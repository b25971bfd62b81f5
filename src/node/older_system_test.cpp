// Machines whose tools are older than ours: what they do not know is stood in for by scripts that
// do not know it either.
#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/real_clock.hpp"
#include "node/choose_checkpoint.hpp"
#include "node/put_file.hpp"
#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class older_systems : public RunFixture {
 protected:
  // Amazon Linux 2 has coreutils 8.22, whose sync takes no option, and writes back everything. What
  // ours is asked for is written down.
  void old_sync() {
    bed_.stand_in("sync", fmt::format(R"(echo "$*" >>{}/syncs
case $1 in
  --help) echo 'Usage: sync [OPTION]'; exit 0 ;;
  -*) echo "sync: invalid option -- '${{1#-}}'" >&2; exit 1 ;;
esac)",
                                      bed_.root().string()));
  }
  // It has util-linux 2.30, whose setsid has just these.
  void old_setsid() {
    bed_.stand_in("setsid", R"(case $1 in
  -c | --ctty | -w | --wait) ;;
  -*) echo "setsid: unrecognized option '$1'" >&2; exit 1 ;;
esac
exec /usr/bin/setsid "$@")");
  }
  std::string syncs() { return bed_.said_by(fmt::format("cat {}/syncs", bed_.root().string())); }
  Result<CheckpointChoice> choose() {
    return choose_checkpoint(
        bed_.machine(), VolumeId::parse("vol-0123456789abcdef0").value(), "/no/such/directory",
        {.clock = clock_, .deadline = clock_.ticks() + std::chrono::minutes{2}});
  }

  RealClock clock_;
};

TEST_F(older_systems, a_file_is_put_where_sync_knows_no_filesystems) {
  old_sync();
  const auto put = put_file(bed_.machine(), "/code/f", FileMode::readable, "content");
  ASSERT_EQ(code_of(put), "");
  EXPECT_EQ(bed_.said_by("cat " + put->path), "content");
  EXPECT_THAT(syncs(), Not(HasSubstr("-f")));
}

TEST_F(older_systems, packages_are_written_back_where_sync_knows_no_filesystems) {
  old_sync();
  // `conda env create --prefix PLACE --file FILE`
  bed_.stand_in("conda", R"(mkdir -p "$4/bin")");
  bed_.stand_in("micromamba", R"(mkdir -p "$4/bin")");
  RunSpec spec = shell_run("r", "echo installed; touch $CONDA_PREFIX/../seen");
  spec.packages =
      RunPackages{.kind = RunPackages::Kind::conda, .from = "environment.yml", .key = "k"};
  ASSERT_EQ(code_of(start_run(bed_.machine(), spec)), "");
  const auto ended = when_ended(spec.id);
  EXPECT_EQ(ended.run.state, RunState::succeeded) << ended.log;
  EXPECT_THAT(syncs(), Not(HasSubstr("-f ")));
  // All of it at once, as without -f it has to be.
  EXPECT_THAT("\n" + syncs() + "\n", HasSubstr("\n\n"));
}

TEST_F(older_systems, a_run_and_its_uploader_start_and_can_be_interrupted) {
  old_setsid();
  RunSpec spec = shell_run("r", "echo up; exec sleep 300");
  spec.upload = UploadSpec{
      .url = "http://127.0.0.1:9/bkt",
      .form = {{.name = "policy", .value = "signed"}},
      .key_prefix = "r/",
      .target = "s3://bkt/r/",
      .expires = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                 std::chrono::hours{1}};
  const auto run = started(spec, "up");
  EXPECT_TRUE(eventually(fmt::format(
      "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" != {} ] || tr '\\0' ' ' <$p/cmdline; "
      "done | grep -q 'upload.sh work'",
      run.directory)));
  // It gets the signal, which a background job of a shell would ignore.
  bed_.said_by(fmt::format("kill -INT {}; rm {}/upload.sh", run.pid, run.directory));
  EXPECT_EQ(when_ended(spec.id).run.signal, 2);
}

TEST_F(older_systems, a_job_starts) {
  old_setsid();
  EXPECT_EQ(code_of(choose()), "");
}

// As root on a machine that systemd has started, as far as the scripts can tell.
class AsRootWithSystemd final : public RemoteShell {
 public:
  AsRootWithSystemd(RemoteShell& inner, std::string folder)
      : inner_{inner}, folder_{std::move(folder)} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    constexpr std::string_view place = "/run/systemd/system";
    std::string changed = script;
    for (auto at = changed.find(place); at != std::string::npos; at = changed.find(place, at)) {
      changed.replace(at, place.size(), folder_);
    }
    return inner_.run(instance, changed, timeout, stop);
  }

 private:
  RemoteShell& inner_;
  std::string folder_;
};

class with_systemd : public older_systems {
 protected:
  // What it was asked for.
  std::string units_of(int version) {
    bed_.stand_in("id", "echo 0");
    bed_.stand_in("systemd-run",
                  fmt::format(R"(if [ "$1" = --version ]; then echo 'systemd {} (x)'; exit 0; fi
echo "$*" >>{}/units
while [ "${{1#-}}" != "$1" ]; do shift; done
setsid setsid "$@" >/dev/null 2>&1)",
                              version, bed_.root().string()));
    Machine machine = bed_.machine();
    AsRootWithSystemd shell{machine.shell, bed_.root().string()};
    const Machine root{.shell = shell, .instance = machine.instance};
    EXPECT_EQ(code_of(start_run(root, shell_run("r", "true"))), "");
    EXPECT_EQ(code_of(choose_checkpoint(
                  root, VolumeId::parse("vol-0123456789abcdef0").value(), "/no/such/directory",
                  {.clock = clock_, .deadline = clock_.ticks() + std::chrono::minutes{2}})),
              "");
    return bed_.said_by(fmt::format("cat {}/units", bed_.root().string()));
  }
};

// Source: systemd's NEWS, 243: OOMPolicy=, which is `stop` for services by itself.
TEST_F(with_systemd, the_loss_of_one_process_to_a_want_of_memory_is_not_that_of_all) {
  const auto units = units_of(252);
  std::size_t count = 0;
  for (auto at = units.find("--property=OOMPolicy=continue"); at != std::string::npos;
       at = units.find("--property=OOMPolicy=continue", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 2U) << units;
}

TEST_F(with_systemd, one_that_does_not_know_that_property_is_not_asked_for_it) {
  EXPECT_THAT(units_of(219), Not(HasSubstr("OOMPolicy")));
}

}  // namespace
}  // namespace runctl::node::testing
