#include "io/environment.hpp"

#include <stdlib.h>

#include <gtest/gtest.h>

namespace runctl {
namespace {

TEST(Environment, EmptyCountsAsUnset) {
  const Environment environment{.variables = {{"SET", "x"}, {"EMPTY", ""}}};
  EXPECT_EQ(environment.get("SET"), "x");
  EXPECT_FALSE(environment.get("EMPTY").has_value());
  EXPECT_FALSE(environment.get("ABSENT").has_value());
}

TEST(CurrentEnvironment, IsACopy) {
  ::setenv("RUNCTL_TEST_VARIABLE", "a=b", 1);
  const Environment environment = current_environment();
  ::unsetenv("RUNCTL_TEST_VARIABLE");
  EXPECT_EQ(environment.get("RUNCTL_TEST_VARIABLE"), "a=b");
  EXPECT_FALSE(current_environment().get("RUNCTL_TEST_VARIABLE").has_value());
}

}  // namespace
}  // namespace runctl
