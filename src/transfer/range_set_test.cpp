#include "transfer/range_set.hpp"

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace runctl::transfer {
namespace {

std::uint64_t crc_of(std::string_view bytes) {
  return crc(CrcKind::crc64nvme, std::as_bytes(std::span{bytes}));
}

TEST(RangeSet, HasTheChecksumOfTheWholeInWhateverOrderRangesCome) {
  std::mt19937_64 engine{7};
  for (int round = 0; round < 200; ++round) {
    std::string bytes(1 + engine() % 500, ' ');
    for (char& byte : bytes) byte = static_cast<char>(engine());
    std::vector<Range> ranges;
    for (std::uint64_t at = 0; at < bytes.size();) {
      const std::uint64_t length = std::min<std::uint64_t>(1 + engine() % 90, bytes.size() - at);
      ranges.push_back({.first = at, .length = length});
      at += length;
    }
    std::ranges::shuffle(ranges, engine);
    RangeSet set{CrcKind::crc64nvme, 0};
    for (const Range& range : ranges) {
      EXPECT_FALSE(set.crc(bytes.size()));
      EXPECT_FALSE(set.overlaps(range));
      set.add(range, crc_of(std::string_view{bytes}.substr(range.first, range.length)));
      EXPECT_TRUE(set.overlaps(range));
    }
    EXPECT_EQ(set.bytes(), bytes.size());
    EXPECT_EQ(set.crc(bytes.size()), crc_of(bytes));
    EXPECT_FALSE(set.gap(0, bytes.size()));
  }
}

TEST(RangeSet, FindsWhatIsMissing) {
  RangeSet set{CrcKind::crc64nvme, 0};
  set.add({.first = 10, .length = 5}, 1);
  set.add({.first = 20, .length = 5}, 1);
  EXPECT_EQ(set.gap(0, 30), (Range{.first = 0, .length = 10}));
  EXPECT_EQ(set.gap(4, 30), (Range{.first = 4, .length = 6}));
  EXPECT_EQ(set.gap(10, 30), (Range{.first = 15, .length = 5}));
  EXPECT_EQ(set.gap(12, 30), (Range{.first = 15, .length = 5}));
  EXPECT_EQ(set.gap(15, 18), (Range{.first = 15, .length = 3}));
  EXPECT_EQ(set.gap(21, 30), (Range{.first = 25, .length = 5}));
  EXPECT_FALSE(set.gap(21, 25));
  EXPECT_FALSE(set.gap(30, 30));
  EXPECT_TRUE(set.overlaps({.first = 14, .length = 2}));
  EXPECT_TRUE(set.overlaps({.first = 8, .length = 20}));
}

TEST(RangeSet, KeepsPartsApart) {
  const std::string bytes = "aaaabbbbccc";
  RangeSet set{CrcKind::crc32c, 4};
  EXPECT_EQ(set.gap(1, 11), (Range{.first = 1, .length = 3})) << "not over a part's end";
  const auto add = [&](std::uint64_t first, std::uint64_t length) {
    set.add({.first = first, .length = length},
            crc(CrcKind::crc32c, std::as_bytes(std::span{bytes}.subspan(first, length))));
  };
  add(8, 3);
  add(4, 2);
  add(0, 4);
  EXPECT_FALSE(set.composite(11));
  add(6, 2);
  // Python: base64(crc32c(b"".join(crc32c(p).to_bytes(4, "big") for p in (b"aaaa", b"bbbb",
  // b"ccc"))))
  EXPECT_EQ(set.composite(11), "FmyGqg==");
}

}  // namespace
}  // namespace runctl::transfer
