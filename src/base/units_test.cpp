#include "base/units.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace runctl {
namespace {

TEST(GiB, IsTwoToTheThirtiethBytes) {
  EXPECT_EQ(GiB{1}.bytes(), 1'073'741'824U);
  EXPECT_EQ(GiB{65'536}.bytes(), std::uint64_t{1} << 46U);
  EXPECT_EQ(GiB{std::numeric_limits<unsigned>::max()}.bytes(), std::uint64_t{0xFFFF'FFFF} << 30U);
}

TEST(BytesInWords, PicksTheUnit) {
  EXPECT_EQ(bytes_in_words(0), "0 B");
  EXPECT_EQ(bytes_in_words(1023), "1023 B");
  EXPECT_EQ(bytes_in_words(1024), "1.0 KiB");
  EXPECT_EQ(bytes_in_words(1536), "1.5 KiB");
  EXPECT_EQ(bytes_in_words(std::uint64_t{1} << 20U), "1.0 MiB");
  EXPECT_EQ(bytes_in_words(GiB{8}.bytes()), "8.0 GiB");
  EXPECT_EQ(bytes_in_words(std::uint64_t{5} << 40U), "5.0 TiB");
  EXPECT_EQ(bytes_in_words(std::numeric_limits<std::uint64_t>::max()), "16777216.0 TiB");
}

TEST(BytesInWords, NeverSays1024OfAUnit) {
  EXPECT_EQ(bytes_in_words((std::uint64_t{1} << 20U) - 1), "1.0 MiB");
  EXPECT_EQ(bytes_in_words(GiB{1}.bytes() - 1), "1.0 GiB");
}

TEST(ParseGib, ReadsTheWaysInWhichPeopleWriteIt) {
  for (const std::string text : {"100", "100G", "100GB", "100GiB", "100 GB", "100 GiB", "0100"}) {
    const auto size = parse_gib(text);
    ASSERT_TRUE(size.has_value()) << text;
    EXPECT_EQ(size->count, 100U) << text;
  }
}

TEST(ParseGib, RefusesWhatItCouldMisread) {
  for (const std::string text :
       {"", "0", "-1", "+1", "1.5", "1e3", "100M", "100MiB", "1T", "1TiB", "100g", "100 ", " 100",
        "100GiBs", "0x10", "4294967296", "99999999999999999999", "GiB"}) {
    const auto size = parse_gib(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_EQ(size.error().code, Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace runctl
