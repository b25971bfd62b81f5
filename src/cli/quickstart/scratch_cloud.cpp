#include "cli/quickstart/scratch_cloud.hpp"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdlib.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "io/detached_process.hpp"

namespace runctl::cli {
namespace {

namespace fs = std::filesystem;

// Waits until nobody holds the tour's lock. A tour that came to its end has removed everything by
// then. Else: an emulator that is only starting publishes itself, or takes its directory again, a
// moment later; so it is looked for until the directory stays away.
constexpr std::string_view guard_script = R"(
lock=$1 runctl=$2 place=$3
flock "$lock" true
tries=0
while [ -d "$place" ] && [ $tries -lt 60 ]; do
  tries=$((tries + 1))
  if "$runctl" emulator stop --state "$place/cloud" && "$runctl" emulator reset --state "$place/cloud" --yes; then
    rm -rf --one-file-system "$place"
  fi
  sleep 0.5
done
)";

// More than the emulator takes to halt its machines (its own patience is 30 s).
constexpr std::chrono::seconds guard_patience{35};

}  // namespace

Result<std::unique_ptr<ScratchCloud>> ScratchCloud::start(Context& context,
                                                          const std::string& hardware) {
  std::string place =
      context.environment.get("TMPDIR").value_or("/tmp") + "/runctl-quickstart-XXXXXX";
  if (::mkdtemp(place.data()) == nullptr) return fail_errno(errno, "make a directory like", place);
  std::unique_ptr<ScratchCloud> cloud{new ScratchCloud{context, std::move(place)}};
  RUNCTL_TRY(cloud->start_guard());
  RUNCTL_TRY_LET(
      cloud->emulator_,
      context.emulator.start(
          {.state = cloud->state(), .port = 0, .pace = "instant", .hardware = hardware}));
  cloud->started_ = true;
  return cloud;
}

ScratchCloud::~ScratchCloud() {
  if (!place_.empty()) (void)remove();
}

Result<void> ScratchCloud::start_guard() {
  const fs::path lock = fs::path{place_} / "lock";
  RUNCTL_TRY_LET(lock_, lock_file(lock));
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail_errno(error.value(), "read", "/proc/self/exe");
  DetachedSpec spec{.program = "/bin/sh",
                    .argv = {"sh", "-c", std::string{guard_script}, "runctl-quickstart",
                             lock.string(), program.string(), place_},
                    .output = fs::path{place_} / "guard.log"};
  // Only what its programs need: the emulator's state is named, and no account is used.
  for (const char* name : {"PATH", "HOME", "TMPDIR"}) {
    if (const auto value = context_.environment.get(name)) {
      spec.environment.push_back(fmt::format("{}={}", name, *value));
    }
  }
  RUNCTL_TRY_LET(guard_, spawn_detached(spec));
  guard_start_ = process_start(guard_).value_or(0);
  return {};
}

// The guard finds that the directory is gone, and ends; or else does what is left to do.
void ScratchCloud::release_guard() {
  lock_.reset();
  const auto deadline = context_.clock.ticks() + guard_patience;
  while (guard_ > 0 && process_start(guard_) == guard_start_ && context_.clock.ticks() < deadline) {
    // Not ended by Ctrl-C: that is why it is waited for.
    (void)context_.clock.sleep_until(context_.clock.ticks() + std::chrono::milliseconds{5}, {});
  }
  guard_ = 0;
}

Result<void> ScratchCloud::remove() {
  if (place_.empty()) return {};
  const std::string place = std::exchange(place_, {});
  std::error_code error;
  // One that was interrupted while it started is the guard's: it may be about to publish itself.
  if (started_ && context_.emulator.stop(place + "/cloud")) fs::remove_all(place, error);
  release_guard();
  if (!fs::exists(place, error)) return {};
  return fail(Errc::internal,
              fmt::format("the tour's cloud could not be removed; what is left is in {}", place));
}

}  // namespace runctl::cli
