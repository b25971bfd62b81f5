#include "transfer/part_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "transfer/options.hpp"

namespace runctl::transfer {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t least_measured = 8 * mib;
constexpr std::uint64_t greatest_measured = 64 * mib;
constexpr double seconds_a_piece = 2;

std::uint64_t rounded_up(std::uint64_t size, std::uint64_t unit) {
  return (size + unit - 1) / unit * unit;
}

std::uint64_t by_measure(std::uint64_t left, const Measured& measured) {
  const double wanted =
      std::min(measured.bytes_a_second * seconds_a_piece, static_cast<double>(greatest_measured));
  const std::uint64_t fair = left / (std::uint64_t{2} * std::max(1U, measured.concurrency));
  return std::clamp(std::min(static_cast<std::uint64_t>(wanted), fair), least_measured,
                    greatest_measured);
}

}  // namespace

Result<std::uint64_t> part_size_for(std::uint64_t object_size, std::uint64_t asked,
                                    const Measured& measured) {
  if (object_size > greatest_object) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is more than an object of S3 can have (5 TiB)",
                            bytes_in_words(object_size)));
  }
  const std::uint64_t least =
      std::max(least_part, (object_size + greatest_part_count - 1) / greatest_part_count);
  if (asked == 0) return rounded_up(std::max(by_measure(object_size, measured), least), mib);
  if (asked < least_part || asked > greatest_part) {
    return fail(Errc::invalid_argument,
                fmt::format("a part of {} bytes: S3 takes parts of 5 MiB to 5 GiB", asked));
  }
  if (asked < least) {
    auto failure =
        fail(Errc::invalid_argument,
             fmt::format("{} in parts of {} are more than the 10,000 parts that S3 allows",
                         bytes_in_words(object_size), bytes_in_words(asked)));
    failure.error().hint =
        fmt::format("use parts of {} or more", bytes_in_words(rounded_up(least, mib)));
    return failure;
  }
  return asked;
}

std::uint64_t range_size_for(std::uint64_t left, std::uint64_t asked, const Measured& measured) {
  return std::min(left, asked > 0 ? asked : rounded_up(by_measure(left, measured), mib));
}

}  // namespace runctl::transfer
