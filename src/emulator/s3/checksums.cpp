#include "emulator/s3/checksums.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

struct Row {
  Algorithm algorithm;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array rows{Row{.algorithm = Algorithm::crc32, .name = "CRC32", .bytes = 4},
                          Row{.algorithm = Algorithm::crc32c, .name = "CRC32C", .bytes = 4},
                          Row{.algorithm = Algorithm::crc64nvme, .name = "CRC64NVME", .bytes = 8},
                          Row{.algorithm = Algorithm::sha1, .name = "SHA1", .bytes = 20},
                          Row{.algorithm = Algorithm::sha256, .name = "SHA256", .bytes = 32}};

constexpr std::string_view prefix = "x-amz-checksum-";

const Row& row_of(Algorithm algorithm) {
  return *std::ranges::find(rows, algorithm, &Row::algorithm);
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>((value(digits[i]) << 4) | value(digits[i + 1]));
  }
  return bytes;
}

std::unexpected<Error> invalid(std::string message) {
  return refuse("InvalidRequest", std::move(message));
}

Result<void> claim(std::optional<ClaimedChecksum>& claimed, const Row& row,
                   std::string_view value) {
  if (claimed) {
    return invalid(
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
        "allowed.");
  }
  claimed = ClaimedChecksum{.algorithm = row.algorithm, .value = std::string{value}};
  return {};
}

}  // namespace

std::string_view name_of(Algorithm algorithm) { return row_of(algorithm).name; }

std::string header_of(Algorithm algorithm) {
  return std::string{prefix} + lower(name_of(algorithm));
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  const std::string wanted = lower(name);
  for (const Row& row : rows) {
    if (lower(row.name) == wanted) return row.algorithm;
  }
  return std::nullopt;
}

std::optional<CrcKind> crc_kind(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::crc32:
      return CrcKind::crc32;
    case Algorithm::crc32c:
      return CrcKind::crc32c;
    case Algorithm::crc64nvme:
      return CrcKind::crc64nvme;
    case Algorithm::sha1:
    case Algorithm::sha256:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<std::optional<ClaimedChecksum>> claimed_checksum(std::span<const HttpHeader> headers) {
  std::optional<ClaimedChecksum> claimed;
  std::optional<Algorithm> named;
  for (const HttpHeader& header : headers) {
    if (header.name == "x-amz-trailer") {
      for (const std::string_view name : split(header.value, ',')) {
        const std::string trailer = lower(trim(name));
        if (!trailer.starts_with(prefix)) continue;
        const auto algorithm = algorithm_named(std::string_view{trailer}.substr(prefix.size()));
        if (!algorithm) {
          return invalid("The value specified in the x-amz-trailer header is not supported");
        }
        RUNCTL_TRY(claim(claimed, row_of(*algorithm), ""));
      }
    }
    if (header.name == "x-amz-sdk-checksum-algorithm") {
      named = algorithm_named(header.value);
      if (!named) {
        return invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.");
      }
    }
    if (!header.name.starts_with(prefix)) continue;
    const auto algorithm = algorithm_named(std::string_view{header.name}.substr(prefix.size()));
    if (!algorithm) continue;  // x-amz-checksum-type, -mode, -algorithm
    const auto decoded = base64_decode(header.value);
    if (!decoded || decoded->size() != row_of(*algorithm).bytes) {
      return invalid(fmt::format("Value for {} header is invalid.", header.name));
    }
    RUNCTL_TRY(claim(claimed, row_of(*algorithm), header.value));
  }
  if (named && claimed && *named != claimed->algorithm) {
    return invalid("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return claimed;
}

Digests::Digests(std::vector<Algorithm> algorithms, bool sha256_too) {
  if (sha256_too) algorithms.push_back(Algorithm::sha256);
  for (const Algorithm algorithm : algorithms) {
    if (algorithm == Algorithm::sha1) {
      sha1_.emplace(HashKind::sha1);
    } else if (algorithm == Algorithm::sha256) {
      sha256_.emplace(HashKind::sha256);
    } else if (const auto kind = crc_kind(algorithm);
               kind && std::ranges::find(crcs_, *kind, &Crc::kind) == crcs_.end()) {
      crcs_.emplace_back(*kind);
    }
  }
}

void Digests::update(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  md5_.update(bytes);
  if (sha1_) sha1_->update(bytes);
  if (sha256_) sha256_->update(bytes);
  for (Crc& crc : crcs_) crc.update(bytes);
}

std::string Digests::checksum(Algorithm algorithm) const {
  if (algorithm == Algorithm::sha1) return base64(sha1_->digest());
  if (algorithm == Algorithm::sha256) return base64(sha256_->digest());
  const auto kind = crc_kind(algorithm);
  return crc_text(*kind, std::ranges::find(crcs_, *kind, &Crc::kind)->value());
}

std::string Digests::sha256_hex() const { return hex(std::string_view{sha256_->digest()}); }

std::string checksum_of_parts(Algorithm algorithm, std::string_view type,
                              std::span<const CheckedPart> parts) {
  const auto kind = crc_kind(algorithm);
  if (kind && type == "FULL_OBJECT") {
    std::uint64_t value = 0;
    for (const CheckedPart& part : parts) {
      value = crc_combine(*kind, value, parse_crc(*kind, part.checksum).value_or(0), part.size);
    }
    return crc_text(*kind, value);
  }
  Digests digests{{algorithm}, false};
  for (const CheckedPart& part : parts) {
    digests.update(as_bytes(base64_decode(part.checksum).value_or("")));
  }
  return fmt::format("{}-{}", digests.checksum(algorithm), parts.size());
}

std::string etag_of_parts(std::span<const PartRecord> parts) {
  Hasher hasher{HashKind::md5};
  for (const PartRecord& part : parts) hasher.update(as_bytes(from_hex(part.etag)));
  return fmt::format("{}-{}", hex(std::string_view{hasher.digest()}), parts.size());
}

}  // namespace runctl::emulator::s3
