#include "volume/sharing_advice.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

namespace runctl::volume {
namespace {

const SharingOption& option(const std::vector<SharingOption>& options, std::string_view id) {
  const auto found = std::ranges::find(options, id, &SharingOption::id);
  if (found == options.end()) throw std::runtime_error{"no option " + std::string{id}};
  return *found;
}

TEST(SharingAdvice, SealedFitsReadersOfOneZoneUpToSixteen) {
  const auto fits = [](SharingNeeds needs) {
    const auto options = sharing_advice(needs);
    const auto& sealed = option(options, "sealed-multi-attach");
    EXPECT_EQ(sealed.fits, sealed.why_not.empty());
    return sealed.fits;
  };
  EXPECT_TRUE(fits({.readers = 16, .size = GiB{500}}));
  EXPECT_FALSE(fits({.readers = 17, .size = GiB{500}}));
  EXPECT_FALSE(fits({.readers = 2, .writers = 1, .size = GiB{500}}));
  EXPECT_FALSE(fits({.readers = 2, .size = GiB{500}, .zones = 2}));
  EXPECT_FALSE(fits({.readers = 2, .size = GiB{1}}));
}

TEST(SharingAdvice, ClonesStayInTheirZone) {
  EXPECT_TRUE(option(sharing_advice({.readers = 2, .size = GiB{8}}), "clones").fits);
  EXPECT_FALSE(option(sharing_advice({.readers = 2, .size = GiB{8}, .zones = 3}), "clones").fits);
}

TEST(SharingAdvice, CopiesCostForEachMachineAndOneVolumeDoesNot) {
  const auto two = sharing_advice({.readers = 2, .size = GiB{500}});
  const auto eight = sharing_advice({.readers = 8, .size = GiB{500}});
  EXPECT_DOUBLE_EQ(option(two, "volumes").per_month, 80);
  EXPECT_DOUBLE_EQ(option(eight, "volumes").per_month, 320);
  EXPECT_DOUBLE_EQ(option(two, "snapshots").per_month, 105);
  EXPECT_DOUBLE_EQ(option(two, "sealed-multi-attach").per_month, 62.5 + 260);
  EXPECT_EQ(option(two, "sealed-multi-attach").per_month,
            option(eight, "sealed-multi-attach").per_month);
  EXPECT_DOUBLE_EQ(option(two, "s3").per_month, 11.5);
}

TEST(SharingAdvice, WhatFitsComesFirstAndOfThatTheCheapest) {
  const auto options = sharing_advice({.readers = 3, .writers = 1, .size = GiB{100}});
  EXPECT_FALSE(options.back().fits);
  EXPECT_EQ(options.front().id, "s3");
  EXPECT_TRUE(std::ranges::is_sorted(options, std::greater{}, &SharingOption::fits));
}

TEST(SharingAdvice, WritersAreToldThatCopiesDoNotMeet) {
  const auto options = sharing_advice({.readers = 1, .writers = 2, .size = GiB{100}});
  for (const std::string_view id : {"volumes", "snapshots", "clones"}) {
    EXPECT_NE(option(options, id).caution.find("its own copy"), std::string::npos) << id;
  }
}

TEST(SharingAdvice, TimeIsSizeOverRate) {
  const auto options = sharing_advice({.readers = 1, .size = GiB{125}});
  EXPECT_EQ(option(options, "volumes").until_readable, std::chrono::seconds{1025});
  EXPECT_EQ(option(options, "sealed-multi-attach").until_readable, std::chrono::seconds{129});
}

}  // namespace
}  // namespace runctl::volume
