#include "base/strong_id.hpp"

#include <string>
#include <type_traits>
#include <unordered_set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/secret.hpp"

namespace runctl {
namespace {

// What R4 promises, where the compiler can be asked.
static_assert(!std::is_default_constructible_v<VolumeId>);
static_assert(!std::is_convertible_v<std::string, VolumeId>);
static_assert(!std::is_constructible_v<VolumeId, std::string>);
static_assert(!std::is_constructible_v<VolumeId, InstanceId>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!fmt::is_formattable<Secret>::value);

TEST(StrongId, TakesBothLengthsThatAwsUses) {
  EXPECT_EQ(VolumeId::parse("vol-1234abcd").value().str(), "vol-1234abcd");
  EXPECT_EQ(InstanceId::parse("i-0123456789abcdef0").value().str(), "i-0123456789abcdef0");
  EXPECT_EQ(SnapshotId::parse("snap-0123456789abcdef0").value().str(), "snap-0123456789abcdef0");
}

TEST(StrongId, RefusesEverythingElse) {
  for (const std::string text :
       {"", "vol-", "vol", "-1234abcd", "vol-1234abc", "vol-1234abcde", "vol-1234ABCD",
        "vol-1234abcg", "Vol-1234abcd", " vol-1234abcd", "vol-1234abcd ", "vol-1234abcd\n",
        "i-1234abcd", "snap-1234abcd", "vol-vol-1234", "vol-0123456789abcdef",
        "vol-0123456789abcdef01", "vol-1234 bcd", "vol--234abcd"}) {
    const auto id = VolumeId::parse(text);
    ASSERT_FALSE(id.has_value()) << text;
    EXPECT_EQ(id.error().code, Errc::invalid_argument);
    EXPECT_EQ(id.error().message, "not a volume id: '" + text + "'");
  }
  EXPECT_FALSE(VolumeId::parse(std::string("vol-1234abc\0", 12)).has_value());
}

TEST(StrongId, ComparesHashesAndFormatsAsItsText) {
  const auto low = VolumeId::parse("vol-00000000").value();
  const auto high = VolumeId::parse("vol-ffffffff").value();
  EXPECT_LT(low, high);
  EXPECT_EQ(low, VolumeId::parse("vol-00000000").value());
  EXPECT_EQ((std::unordered_set{low, high, low}.size()), 2U);
  EXPECT_EQ(fmt::format("{} {:>13}|", low, high), "vol-00000000  vol-ffffffff|");
}

}  // namespace
}  // namespace runctl
