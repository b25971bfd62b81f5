// What every Random promises, asked of the kernel's and of the seeded one.
#include "io/random.hpp"

#include <array>
#include <bitset>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl {
namespace {

enum class Kind : bool { system, seeded };

class RandomConformance : public testing::TestWithParam<Kind> {
 protected:
  RandomConformance() {
    if (GetParam() == Kind::system) {
      random_ = std::make_unique<SystemRandom>();
    } else {
      random_ = std::make_unique<SeededRandom>(7);
    }
  }
  std::unique_ptr<Random> random_;
};
INSTANTIATE_TEST_SUITE_P(Both, RandomConformance, testing::Values(Kind::system, Kind::seeded),
                         [](const auto& each) {
                           return each.param == Kind::system ? "System" : "Seeded";
                         });

TEST_P(RandomConformance, DoesNotRepeat) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(random_->next());
  EXPECT_EQ(seen.size(), 10'000U);
}

// Of 10,000 fair coins, 500 too many or too few is ten standard deviations.
TEST_P(RandomConformance, SetsEachBitHalfOfTheTime) {
  std::array<int, 64> ones{};
  for (int i = 0; i < 10'000; ++i) {
    const std::bitset<64> bits{random_->next()};
    for (std::size_t at = 0; at < ones.size(); ++at) ones.at(at) += bits[at] ? 1 : 0;
  }
  for (const int count : ones) {
    EXPECT_GT(count, 4'500);
    EXPECT_LT(count, 5'500);
  }
}

TEST(SeededRandom, RepeatsForTheSameSeedOnly) {
  SeededRandom one{1};
  SeededRandom same{1};
  SeededRandom other{2};
  const auto first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

TEST(RandomHex, HasTheLengthAskedFor) {
  SystemRandom random;
  for (const unsigned digits : {0U, 1U, 15U, 16U, 17U, 33U}) {
    const std::string text = random_hex(random, digits);
    EXPECT_EQ(text.size(), digits);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
  }
}

// Source: RFC 9562, section 5.4.
TEST(RandomUuid, IsOfVersion4) {
  SystemRandom random;
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(random_uuid(random),
                testing::MatchesRegex(
                    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

}  // namespace
}  // namespace runctl
