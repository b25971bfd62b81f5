// A string that names one kind of AWS resource and cannot be mistaken for another.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"

namespace runctl {

// Kind supplies `prefix` ("vol-") and `noun` ("volume id"), which appear in messages.
template <class Kind>
class StrongId {
 public:
  // Errors: invalid_argument unless `text` is `prefix` and 8 or 17 lower-case hex digits.
  // Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
  [[nodiscard]] static Result<StrongId> parse(std::string_view text) {
    const bool prefixed = text.starts_with(Kind::prefix);
    const auto digits = prefixed ? text.substr(Kind::prefix.size()) : std::string_view{};
    const bool sized = digits.size() == 8 || digits.size() == 17;
    if (!sized || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
      return fail(Errc::invalid_argument, fmt::format("not a {}: '{}'", Kind::noun, text));
    }
    return StrongId{std::string{text}};
  }

  [[nodiscard]] const std::string& str() const noexcept { return value_; }
  auto operator<=>(const StrongId&) const = default;

 private:
  explicit StrongId(std::string value) : value_{std::move(value)} {}
  std::string value_;
};

struct VolumeIdKind {
  static constexpr std::string_view prefix = "vol-", noun = "volume id";
};
struct InstanceIdKind {
  static constexpr std::string_view prefix = "i-", noun = "instance id";
};
struct SnapshotIdKind {
  static constexpr std::string_view prefix = "snap-", noun = "snapshot id";
};
using VolumeId = StrongId<VolumeIdKind>;
using InstanceId = StrongId<InstanceIdKind>;
using SnapshotId = StrongId<SnapshotIdKind>;

}  // namespace runctl

template <class Kind>
struct std::hash<runctl::StrongId<Kind>> {
  std::size_t operator()(const runctl::StrongId<Kind>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};

template <class Kind>
struct fmt::formatter<runctl::StrongId<Kind>> : fmt::formatter<std::string_view> {
  auto format(const runctl::StrongId<Kind>& id, format_context& context) const {
    return fmt::formatter<std::string_view>::format(id.str(), context);
  }
};
