// The checks that S3 computes of bodies: which there are, and all that are asked for at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc.hpp"
#include "base/hasher.hpp"
#include "base/result.hpp"
#include "emulator/s3/records.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator::s3 {

// Source: "Checking object integrity" in the Amazon S3 User Guide; checked 2026.
enum class Algorithm : std::uint8_t { crc32, crc32c, crc64nvme, sha1, sha256 };

// What S3 takes when nobody names one.
inline constexpr Algorithm default_algorithm = Algorithm::crc64nvme;

[[nodiscard]] std::string_view name_of(Algorithm algorithm);  // "CRC64NVME"
[[nodiscard]] std::string header_of(Algorithm algorithm);     // "x-amz-checksum-crc64nvme"
[[nodiscard]] std::optional<Algorithm> algorithm_named(std::string_view name);  // in any case
[[nodiscard]] std::optional<CrcKind> crc_kind(Algorithm algorithm);

// The one that a request's headers, or the trailer that they announce, carry.
struct ClaimedChecksum {
  Algorithm algorithm = default_algorithm;
  std::string value = {};  // base64; empty while it is still to come in the trailer
};
// Errors: InvalidRequest when there are two, when one is of the wrong length, or when
// x-amz-sdk-checksum-algorithm names another or one that nothing carries.
[[nodiscard]] Result<std::optional<ClaimedChecksum>> claimed_checksum(
    std::span<const HttpHeader> headers);

// Computes MD5, and of the rest what it is told, over bytes that come piece by piece.
class Digests {
 public:
  Digests(std::vector<Algorithm> algorithms, bool sha256_too);
  void update(std::span<const std::byte> bytes);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::string md5() const { return md5_.digest(); }  // 16 raw bytes
  // In base64. Precondition: it was asked for.
  [[nodiscard]] std::string checksum(Algorithm algorithm) const;
  [[nodiscard]] std::string sha256_hex() const;

 private:
  std::uint64_t size_ = 0;
  Hasher md5_{HashKind::md5};
  std::optional<Hasher> sha1_ = {};
  std::optional<Hasher> sha256_ = {};
  std::vector<Crc> crcs_ = {};
};

struct CheckedPart {
  std::string checksum;  // base64
  std::uint64_t size = 0;
};

// Of an object of these parts: COMPOSITE is the check of the parts' checks, with "-N" behind it;
// FULL_OBJECT that of the whole, which only CRCs can give without the bytes.
// Precondition: `type` is possible for `algorithm`.
[[nodiscard]] std::string checksum_of_parts(Algorithm algorithm, std::string_view type,
                                            std::span<const CheckedPart> parts);

// MD5 of the parts' MD5s, "-N" behind it, from their hex digits.
[[nodiscard]] std::string etag_of_parts(std::span<const PartRecord> parts);

}  // namespace runctl::emulator::s3
