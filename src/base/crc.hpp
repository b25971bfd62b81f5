// The cyclic redundancy checks that S3 computes of objects: CRC-32, CRC-32C and CRC-64/NVME.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace runctl {

// All three are reflected, and begin and end with all bits inverted. The processor's carry-less
// multiplication does the work where it has one; a table does elsewhere, with the same result.
// Source: RFC 1952 (crc32, polynomial 0xedb88320 reflected), RFC 3720 (crc32c, 0x82f63b78),
// "NVM Express NVM Command Set Specification" 1.0, 5.2.1.3.4 (crc64nvme, 0x9a6c9329ac4bc9b5).
enum class CrcKind : std::uint8_t { crc32, crc32c, crc64nvme };

// The check of bytes that come piece by piece.
class Crc {
 public:
  explicit Crc(CrcKind kind);

  void update(std::span<const std::byte> bytes);
  // Of everything so far; of nothing it is 0. The two 32-bit kinds use the lower half.
  [[nodiscard]] std::uint64_t value() const;
  [[nodiscard]] CrcKind kind() const { return kind_; }

 private:
  CrcKind kind_;
  std::uint64_t state_;
};

[[nodiscard]] std::uint64_t crc(CrcKind kind, std::span<const std::byte> bytes);

// As `crc`, on a processor that cannot multiply: for comparison.
[[nodiscard]] std::uint64_t crc_by_table(CrcKind kind, std::span<const std::byte> bytes);

// The check of A followed by B, from the checks of both and B's length in bytes. Takes some
// microseconds, whatever the length.
[[nodiscard]] std::uint64_t crc_combine(CrcKind kind, std::uint64_t a, std::uint64_t b,
                                        std::uint64_t length_b);

// As S3's headers carry it: the bytes from the most significant on, in base64.
[[nodiscard]] std::string crc_text(CrcKind kind, std::uint64_t value);
// The reverse; nothing for text that is not the check of one piece ("…-3" is that of three).
[[nodiscard]] std::optional<std::uint64_t> parse_crc(CrcKind kind, std::string_view text);

// "CRC64NVME", the name of the kind in S3's x-amz-checksum-algorithm.
[[nodiscard]] std::string_view crc_name(CrcKind kind);

}  // namespace runctl
