#include "emulator/pace.hpp"

#include <fmt/format.h>

namespace runctl::emulator {

using std::chrono::milliseconds;

Result<Pace> pace_named(std::string_view name) {
  if (name == "instant") return Pace{.busy_retry = milliseconds{50}};
  if (name == "fast") {
    return Pace{.name = "fast",
                .create_volume = milliseconds{60},
                .delete_volume = milliseconds{40},
                .attach = milliseconds{80},
                .detach = milliseconds{80},
                .release = milliseconds{20},
                .snapshot = milliseconds{200},
                .modify = milliseconds{80},
                .optimize = milliseconds{200},
                .boot = milliseconds{150},
                .stop = milliseconds{100},
                .busy_retry = milliseconds{100}};
  }
  // The order of magnitude that users of EC2 report; AWS promises none of them.
  if (name == "aws") {
    return Pace{.name = "aws",
                .create_volume = milliseconds{3'000},
                .delete_volume = milliseconds{5'000},
                .attach = milliseconds{4'000},
                .detach = milliseconds{5'000},
                .release = milliseconds{500},
                .snapshot = milliseconds{30'000},
                .modify = milliseconds{5'000},
                .optimize = milliseconds{300'000},
                .boot = milliseconds{20'000},
                .stop = milliseconds{30'000},
                .busy_retry = milliseconds{2'000},
                .snapshot_interval = milliseconds{15'000},
                .varies = true};
  }
  return fail(Errc::invalid_argument,
              fmt::format("pace is one of instant, fast, aws, not '{}'", name));
}

milliseconds draw(const Pace& pace, milliseconds least, Random& random) {
  if (!pace.varies || least.count() == 0) return least;
  const auto span = static_cast<std::uint64_t>(least.count());
  return milliseconds{least.count() / 2 + static_cast<std::int64_t>(random.next() % (span + 1))};
}

}  // namespace runctl::emulator
