#include "base/result.hpp"

#include <array>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl {
namespace {

constexpr std::array all_codes{
    Errc::invalid_argument, Errc::not_found, Errc::conflict,    Errc::precondition,
    Errc::denied,           Errc::throttled, Errc::unavailable, Errc::deadline_exceeded,
    Errc::cancelled,        Errc::corrupt,   Errc::internal};
constexpr std::array all_effects{Effect::not_applied, Effect::unknown, Effect::applied};

// The whole table: of 66 rows, eight may be sent again.
TEST(MayRetry, OnlyWhatIsTransientAndHarmless) {
  for (const Errc code : all_codes) {
    const bool transient = code == Errc::throttled || code == Errc::unavailable;
    for (const Effect effect : all_effects) {
      EXPECT_EQ(may_retry(code, effect, Idempotent::yes), transient);
      EXPECT_EQ(may_retry(code, effect, Idempotent::no),
                transient && effect == Effect::not_applied);
    }
  }
}

TEST(Fail, RemembersWhereItWasCalled) {
  const Result<int> result = fail(Errc::conflict, "volume vol-1 is attached");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::conflict);
  EXPECT_EQ(result.error().message, "volume vol-1 is attached");
  EXPECT_EQ(result.error().effect, Effect::not_applied);
  EXPECT_THAT(std::string{result.error().where.file_name()}, testing::EndsWith("result_test.cpp"));
}

TEST(WithContext, AddsInnermostFirstAndChangesNothingElse) {
  Error error{.code = Errc::denied, .message = "no", .effect = Effect::unknown};
  error = with_context(std::move(error), "while attaching vol-1").error();
  error = with_context(std::move(error), "while training").error();
  EXPECT_THAT(error.context, testing::ElementsAre("while attaching vol-1", "while training"));
  EXPECT_EQ(error.code, Errc::denied);
  EXPECT_EQ(error.message, "no");
  EXPECT_EQ(error.effect, Effect::unknown);
}

Result<std::unique_ptr<int>> made(int value) {
  if (value < 0) return fail(Errc::invalid_argument, "negative");
  return std::make_unique<int>(value);
}

Result<int> sum(int a, int b) {
  RUNCTL_TRY(made(a));
  RUNCTL_TRY_LET(const auto first, made(a));
  RUNCTL_TRY_LET(const auto second, made(b));
  return *first + *second;
}

TEST(Try, BindsValuesThatOnlyMoveAndReturnsErrors) {
  EXPECT_EQ(sum(1, 2).value(), 3);
  EXPECT_EQ(sum(-1, 2).error().message, "negative");
  EXPECT_EQ(sum(1, -2).error().message, "negative");
}

}  // namespace
}  // namespace runctl
