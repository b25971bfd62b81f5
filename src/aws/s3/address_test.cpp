#include "aws/s3/address.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace runctl::aws::s3 {
namespace {

RestRequest object(std::string bucket, std::string key) {
  return {.method = "GET", .bucket = std::move(bucket), .key = std::move(key)};
}

std::string at_aws(std::string bucket, std::string key, std::string_view region = "eu-west-1") {
  return url_of({.endpoint = "", .region = region}, object(std::move(bucket), std::move(key)));
}

TEST(S3Address, PutsABucketIntoTheHostAtAws) {
  EXPECT_EQ(at_aws("bkt", "a/b c"), "https://bkt.s3.eu-west-1.amazonaws.com/a/b%20c");
  EXPECT_EQ(at_aws("bkt", ""), "https://bkt.s3.eu-west-1.amazonaws.com/");
  EXPECT_EQ(at_aws("", ""), "https://s3.eu-west-1.amazonaws.com/");
  EXPECT_EQ(at_aws("bkt", "k", "cn-north-1"), "https://bkt.s3.cn-north-1.amazonaws.com.cn/k");
  EXPECT_EQ(at_aws("bkt", "k", "us-gov-west-1"), "https://bkt.s3.us-gov-west-1.amazonaws.com/k");
}

// Source: what botocore 1.43 makes of the same, s3v4.
TEST(S3Address, KnowsAwssVariants) {
  const auto url = [](EndpointVariant variant) {
    return url_of({.endpoint = "", .region = "eu-west-1", .variant = variant}, object("bkt", "k"));
  };
  EXPECT_EQ(url({.dual_stack = true}), "https://bkt.s3.dualstack.eu-west-1.amazonaws.com/k");
  EXPECT_EQ(url({.fips = true}), "https://bkt.s3-fips.eu-west-1.amazonaws.com/k");
  EXPECT_EQ(url({.dual_stack = true, .fips = true}),
            "https://bkt.s3-fips.dualstack.eu-west-1.amazonaws.com/k");
}

// A name of a bucket must not be able to change the host.
TEST(S3Address, PutsWhatIsNoLabelIntoThePath) {
  for (const auto& [bucket, encoded] :
       std::initializer_list<std::pair<std::string, std::string>>{{"a.b", "a.b"},
                                                                  {"Old_Bucket", "Old_Bucket"},
                                                                  {"evil.com/x", "evil.com%2Fx"},
                                                                  {"a@b", "a%40b"},
                                                                  {"-ab", "-ab"},
                                                                  {"ab", "ab"}}) {
    EXPECT_EQ(at_aws(bucket, "k"), "https://s3.eu-west-1.amazonaws.com/" + encoded + "/k");
    EXPECT_EQ(url_of({.endpoint = "http://h", .addressing = Addressing::virtual_host},
                     object(bucket, "k")),
              "http://h/" + encoded + "/k");
  }
}

TEST(S3Address, UsesThePathElsewhereUnlessAskedOtherwise) {
  EXPECT_EQ(url_of({.endpoint = "http://127.0.0.1:9000"}, object("bkt", "k")),
            "http://127.0.0.1:9000/bkt/k");
  EXPECT_EQ(url_of({.endpoint = "http://h:1/base/"}, object("bkt", "")), "http://h:1/base/bkt");
  EXPECT_EQ(url_of({.endpoint = "http://h:1", .addressing = Addressing::virtual_host},
                   object("bkt", "k")),
            "http://bkt.h:1/k");
  EXPECT_EQ(
      url_of({.endpoint = "", .region = "r", .addressing = Addressing::path}, object("bkt", "k")),
      "https://s3.r.amazonaws.com/bkt/k");
}

TEST(S3Address, EncodesKeysOnceAndLeavesThemAsTheyAre) {
  EXPECT_EQ(at_aws("bkt", "//a/../b/./%2F?#+ü\n"),
            "https://bkt.s3.eu-west-1.amazonaws.com///a/../b/./%252F%3F%23%2B%C3%BC%0A");
}

TEST(S3Address, WritesTheQueryInOrder) {
  RestRequest request = object("bkt", "");
  request.query = {{"uploads", ""}, {"prefix", "a/b&c"}, {"x", "1"}};
  EXPECT_EQ(url_of({.endpoint = "http://h"}, request), "http://h/bkt?uploads&prefix=a%2Fb%26c&x=1");
}

TEST(S3Address, FindsTheRegionInAHost) {
  EXPECT_EQ(region_in_host("https://b.s3.eu-west-1.amazonaws.com/k"), "eu-west-1");
  EXPECT_EQ(region_in_host("https://b.s3-eu-west-1.amazonaws.com/k"), "eu-west-1");
  EXPECT_EQ(region_in_host("https://s3-fips.dualstack.us-east-2.amazonaws.com"), "us-east-2");
  EXPECT_EQ(region_in_host("https://s3.b.s3.us-east-2.amazonaws.com.cn"), "us-east-2");
  for (const std::string_view none :
       {"https://b.s3.amazonaws.com/k", "https://s3.amazonaws.com", "http://127.0.0.1/",
        "https://s3.eu-west-1.evil.com/", "https://b.xs3.eu-west-1.amazonaws.com", ""}) {
    EXPECT_EQ(region_in_host(none), "") << none;
  }
}

TEST(S3Address, KnowsThisMachine) {
  for (const std::string_view here : {"http://127.0.0.1:9/x", "http://localhost",
                                      "http://b.localhost:1/", "http://[::1]:9000/"}) {
    EXPECT_TRUE(is_loopback(here)) << here;
  }
  for (const std::string_view elsewhere :
       {"http://10.0.0.1/", "http://localhost.evil.com", "http://128.0.0.1", "http://[::2]/"}) {
    EXPECT_FALSE(is_loopback(elsewhere)) << elsewhere;
  }
}

TEST(S3Address, WritesTheSourceOfACopy) {
  EXPECT_EQ(copy_source("b", "a/b c+"), "b/a/b%20c%2B");
  EXPECT_EQ(copy_source("b", "k", "v/1"), "b/k?versionId=v%2F1");
}

}  // namespace
}  // namespace runctl::aws::s3
