#include "transfer/file_attributes.hpp"

#include <gtest/gtest.h>

namespace runctl::transfer {
namespace {

TEST(FileAttributes, ReadsTimesAsOtherToolsWriteThem) {
  EXPECT_EQ(parse_mtime("1700000000"), 1'700'000'000'000'000'000);
  EXPECT_EQ(parse_mtime("1700000000.123456789"), 1'700'000'000'123'456'789);
  EXPECT_EQ(parse_mtime("1700000000.5"), 1'700'000'000'500'000'000);
  EXPECT_EQ(parse_mtime("-1.5"), -500'000'000) << "half a second after -1";
  EXPECT_EQ(parse_mtime("1700000000.1234567891"), 1'700'000'000'123'456'789);
  for (const char* none : {"", ".", "1.", "x", "1e9", "1700000000.x", "99999999999", " 1"}) {
    EXPECT_FALSE(parse_mtime(none)) << none;
  }
}

TEST(FileAttributes, ReadsModesWithoutWhatWouldGiveRights) {
  EXPECT_EQ(parse_mode("0644"), 0644U);
  EXPECT_EQ(parse_mode("33188"), 0644U);
  EXPECT_EQ(parse_mode("06755"), 0755U) << "never set-user-id";
  for (const char* none : {"", "rw", "0999", "-1", "9999999"})
    EXPECT_FALSE(parse_mode(none)) << none;
}

}  // namespace
}  // namespace runctl::transfer
