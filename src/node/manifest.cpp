#include "node/manifest.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {
namespace {

std::uint64_t count(const boost::json::value& record, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
}

// Errors: corrupt for anything but 64 hexadecimal digits.
Result<std::string> digest_of(const Machine& machine, const VolumeId& volume,
                              const boost::json::value& record) {
  Result<std::string> digest = string_at(record, "digest").value_or("");
  if (digest->size() != 64 || digest->find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Errc::corrupt, fmt::format("instance {} gave no digest for the manifest of {}",
                                           machine.instance, volume));
  }
  return digest;
}

}  // namespace

std::string readable_path(std::string_view escaped) {
  std::string bytes;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const auto is_octal = [&](std::size_t at) { return escaped[at] >= '0' && escaped[at] <= '7'; };
    const bool is_escape = escaped[i] == '\\' && i + 3 < escaped.size() && is_octal(i + 1) &&
                           is_octal(i + 2) && is_octal(i + 3);
    const int value = is_escape ? (escaped[i + 1] - '0') * 64 + (escaped[i + 2] - '0') * 8 +
                                      (escaped[i + 3] - '0')
                                : 0;
    if (value >= 0x80 && value <= 0xFF) {
      bytes += static_cast<char>(value);
      i += 3;
    } else {
      bytes += escaped[i];
    }
  }
  return to_utf8(bytes);
}

Result<ManifestSummary> make_manifest(const Machine& machine, const VolumeId& volume,
                                      const JobWatch& watch) {
  RUNCTL_TRY_LET(
      const auto record,
      run_job(machine, {.name = "make_manifest", .parameters = {{"VOLUME_ID", volume.str()}}},
              volume.str(), watch));
  RUNCTL_TRY_LET(auto digest, digest_of(machine, volume, record));
  return ManifestSummary{.digest = std::move(digest),
                         .files = count(record, "files"),
                         .bytes = count(record, "bytes"),
                         .kind = string_at(record, "kind") == "directory" ? StorageKind::directory
                                                                          : StorageKind::block};
}

Result<Verification> verify_manifest(const Machine& machine, const VolumeId& volume,
                                     const std::string& expected_digest, const JobWatch& watch) {
  RUNCTL_TRY_LET(
      const auto record,
      run_job(machine,
              {.name = "verify_manifest",
               .parameters = {{"VOLUME_ID", volume.str()}, {"EXPECTED_DIGEST", expected_digest}}},
              volume.str(), watch));
  RUNCTL_TRY_LET(auto digest, digest_of(machine, volume, record));
  Verification verification{.digest = std::move(digest),
                            .files = count(record, "files"),
                            .bytes = count(record, "bytes"),
                            .difference_count = count(record, "difference_count")};
  // Said twice, so that neither can be lost.
  verification.intact =
      boolean_at(record, "intact").value_or(false) && integer_at(record, "difference_count") == 0;
  if (const auto* differences = array_at(record, "differences")) {
    for (const auto& difference : *differences) {
      if (difference.is_string())
        verification.differences.push_back(
            readable_path(std::string_view{difference.get_string()}));
    }
  }
  return verification;
}

}  // namespace runctl::node
