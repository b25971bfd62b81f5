#include "aws/s3/settings.hpp"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runctl::aws::s3 {
namespace {

using testing::HasSubstr;

Result<Reach> reach(std::string_view config, Environment environment = {},
                    AccountChoice flags = {}) {
  const ProfileFiles files{
      .config = parse_profile_file(config, "/h/config", ProfileFileKind::config).value()};
  return resolve_reach({.environment = environment, .files = files, .flags = flags}, "eu-west-1");
}

TEST(S3Reach, IsAwssOwnUnlessSaidOtherwise) {
  const auto own = reach("");
  EXPECT_EQ(own->endpoint, "");
  EXPECT_EQ(own->addressing, Addressing::automatic);
  EXPECT_EQ(own->checksum, CrcKind::crc64nvme);
  EXPECT_EQ(reach("", {{{"AWS_ENDPOINT_URL_S3", "http://h:9/"}}})->endpoint, "http://h:9");
  EXPECT_EQ(reach("", {}, {.endpoint_url = "https://s3.eu-west-1.amazonaws.com"})->endpoint, "");
}

// A variant of AWS's own is still AWS's own: buckets in the host, each in its region.
TEST(S3Reach, KnowsTheVariantsOfAwssOwn) {
  const auto both =
      reach("[default]\nuse_dualstack_endpoint = true\n", {{{"AWS_USE_FIPS_ENDPOINT", "true"}}});
  EXPECT_EQ(both->endpoint, "");
  EXPECT_TRUE(both->variant.dual_stack);
  EXPECT_TRUE(both->variant.fips);
}

TEST(S3Reach, ReadsTheAddressingStyle) {
  const auto style = [](std::string_view word) {
    return reach("[default]\ns3 =\n  addressing_style = " + std::string{word} + "\n");
  };
  EXPECT_EQ(style("path")->addressing, Addressing::path);
  EXPECT_EQ(style("virtual")->addressing, Addressing::virtual_host);
  EXPECT_EQ(style("auto")->addressing, Addressing::automatic);
  EXPECT_EQ(reach("[default]\ns3 =\n  max_queue_size = 5\n")->addressing, Addressing::automatic);
  EXPECT_EQ(style("host").error().code, Errc::invalid_argument);
  EXPECT_THAT(style("host").error().message, HasSubstr("'host' (profile 'default' in /h/config)"));
}

TEST(S3Reach, LeavesChecksOutWhenTheyAreNotWanted) {
  EXPECT_EQ(reach("[default]\nrequest_checksum_calculation = when_required\n")->checksum,
            std::nullopt);
  EXPECT_EQ(reach("[default]\nrequest_checksum_calculation = when_required\n",
                  {{{"AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_SUPPORTED"}}})
                ->checksum,
            CrcKind::crc64nvme);
  EXPECT_EQ(reach("", {{{"AWS_REQUEST_CHECKSUM_CALCULATION", "never"}}}).error().code,
            Errc::invalid_argument);

  EXPECT_TRUE(reach("")->check_answers);
  EXPECT_FALSE(reach("[default]\nresponse_checksum_validation = when_required\n")->check_answers);
  EXPECT_FALSE(reach("", {{{"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required"}}})->check_answers);
  EXPECT_EQ(reach("", {{{"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required"}}})->checksum,
            CrcKind::crc64nvme);
}

}  // namespace
}  // namespace runctl::aws::s3
