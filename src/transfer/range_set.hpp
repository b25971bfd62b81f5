// Which bytes of an object have arrived, and their checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/crc.hpp"

namespace runctl::transfer {

struct Range {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const Range&) const = default;
};

// Ranges that touch become one, so that it stays small. With a `period`, no range reaches over a
// multiple of it: the parts of an object whose checksum is one of its parts' stay apart.
class RangeSet {
 public:
  // `period` 0: none.
  RangeSet(CrcKind kind, std::uint64_t period) : kind_{kind}, period_{period} {}

  // Precondition: no byte of `range` is in the set; `range` does not reach over the period's
  // bounds.
  void add(const Range& range, std::uint64_t crc);
  // The longest range from the first missing byte at or after `from`, before `end`, that holds no
  // byte of the set and does not cross the period's bounds; nothing when none is missing.
  [[nodiscard]] std::optional<Range> gap(std::uint64_t from, std::uint64_t end) const;
  [[nodiscard]] bool overlaps(const Range& range) const;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] CrcKind kind() const { return kind_; }
  [[nodiscard]] std::uint64_t period() const { return period_; }
  // Of the bytes from 0 to `size`; nothing unless all are there.
  [[nodiscard]] std::optional<std::uint64_t> crc(std::uint64_t size) const;
  // S3's composite checksum, in base64: of the big-endian checksums of all periods in turn. Nothing
  // unless there is a period and all bytes to `size` are there.
  [[nodiscard]] std::optional<std::string> composite(std::uint64_t size) const;

 private:
  struct Piece {
    std::uint64_t length = 0;
    std::uint64_t crc = 0;
  };

  [[nodiscard]] bool at_bound(std::uint64_t offset) const {
    return period_ > 0 && offset % period_ == 0;
  }

  CrcKind kind_;
  std::uint64_t period_;
  std::uint64_t bytes_ = 0;
  std::map<std::uint64_t, Piece> pieces_;  // by first byte
};

// The checksum's bytes, from the most significant on: what a composite checksum is computed of.
void append_big_endian(CrcKind kind, std::uint64_t crc, std::vector<std::byte>& to);

}  // namespace runctl::transfer
