#include "transfer/range_set.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

namespace runctl::transfer {

void RangeSet::add(const Range& range, std::uint64_t crc) {
  if (range.length == 0) return;
  bytes_ += range.length;
  Piece piece{.length = range.length, .crc = crc};
  std::uint64_t first = range.first;
  auto after = pieces_.lower_bound(first);
  if (after != pieces_.end() && after->first == first + piece.length && !at_bound(after->first)) {
    piece.crc = crc_combine(kind_, piece.crc, after->second.crc, after->second.length);
    piece.length += after->second.length;
    after = pieces_.erase(after);
  }
  if (after != pieces_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second.length == first && !at_bound(first)) {
      piece.crc = crc_combine(kind_, before->second.crc, piece.crc, piece.length);
      piece.length += before->second.length;
      first = before->first;
      pieces_.erase(before);
    }
  }
  pieces_.emplace(first, piece);
}

std::optional<Range> RangeSet::gap(std::uint64_t from, std::uint64_t end) const {
  auto after = pieces_.upper_bound(from);
  if (after != pieces_.begin()) {
    const auto before = std::prev(after);
    from = std::max(from, before->first + before->second.length);
  }
  while (after != pieces_.end() && after->first <= from) {
    from = std::max(from, after->first + after->second.length);
    ++after;
  }
  if (from >= end) return std::nullopt;
  std::uint64_t until = after == pieces_.end() ? end : std::min(end, after->first);
  if (period_ > 0) until = std::min(until, (from / period_ + 1) * period_);
  return Range{.first = from, .length = until - from};
}

bool RangeSet::overlaps(const Range& range) const {
  const auto missing = gap(range.first, range.first + range.length);
  // Over a bound of the period nothing is said here: add() asks for ranges within one.
  return !missing || *missing != range;
}

std::optional<std::uint64_t> RangeSet::crc(std::uint64_t size) const {
  if (bytes_ != size) return std::nullopt;
  std::uint64_t whole = 0;
  for (const auto& [first, piece] : pieces_) {
    whole = first == 0 ? piece.crc : crc_combine(kind_, whole, piece.crc, piece.length);
  }
  return whole;
}

std::optional<std::string> RangeSet::composite(std::uint64_t size) const {
  if (bytes_ != size || period_ == 0) return std::nullopt;
  std::vector<std::byte> checksums;
  for (const auto& [first, piece] : pieces_) append_big_endian(kind_, piece.crc, checksums);
  return crc_text(kind_, runctl::crc(kind_, checksums));
}

void append_big_endian(CrcKind kind, std::uint64_t crc, std::vector<std::byte>& to) {
  for (unsigned left = kind == CrcKind::crc64nvme ? 8 : 4; left > 0; --left) {
    to.push_back(static_cast<std::byte>(crc >> ((left - 1) * 8U)));
  }
}

}  // namespace runctl::transfer
