#include "transfer/s3_facts.hpp"

#include <gtest/gtest.h>

namespace runctl::transfer {
namespace {

TEST(S3Facts, ReadsChecksumsOfWholesAndOfParts) {
  aws::s3::HeadObjectOutput answer{.checksum_crc32c = "abcd==", .checksum_type = "FULL_OBJECT"};
  EXPECT_TRUE(facts_of(answer).checksum->full_object);
  answer = {.checksum_sha256 = "abcd=-12", .checksum_type = "COMPOSITE"};
  const auto checksum = facts_of(answer).checksum;
  EXPECT_FALSE(checksum->full_object);
  EXPECT_EQ(checksum->algorithm, "SHA256");
  EXPECT_EQ(checksum->value, "abcd=");
  EXPECT_EQ(checksum->parts, 12U);
  EXPECT_FALSE(facts_of(aws::s3::HeadObjectOutput{}).checksum);
}

TEST(S3Facts, KnowsWhichETagsAreMd5) {
  aws::s3::HeadObjectOutput answer{.etag = "\"5d41402abc4b2a76b9719d911017c592\""};
  EXPECT_TRUE(facts_of(answer).etag_is_md5);
  answer.server_side_encryption = "AES256";
  EXPECT_TRUE(facts_of(answer).etag_is_md5);
  answer.server_side_encryption = "aws:kms";
  EXPECT_FALSE(facts_of(answer).etag_is_md5);
  EXPECT_TRUE(facts_of(answer).etag_is_opaque);
  answer.server_side_encryption.clear();
  EXPECT_FALSE(facts_of(answer).etag_is_opaque);
  answer.sse_customer_algorithm = "AES256";
  EXPECT_FALSE(facts_of(answer).etag_is_md5);
  EXPECT_TRUE(facts_of(answer).etag_is_opaque);
  answer = {.etag = "\"5d41402abc4b2a76b9719d911017c592-3\""};
  EXPECT_FALSE(facts_of(answer).etag_is_md5);
}

TEST(S3Facts, RefusesAnotherRangeThanWasAskedFor) {
  const GetRequest request{.first = 100, .length = 50};
  const auto facts_from = [&](const char* range) {
    return facts_of_range({.content_length = 50, .content_range = range}, request);
  };
  EXPECT_EQ(facts_from("bytes 100-149/1234")->size, 1234U);
  for (const char* wrong :
       {"", "bytes 0-49/1234", "bytes 100-149/*", "100-149/1234", "bytes x-y/z"}) {
    const auto facts = facts_from(wrong);
    ASSERT_FALSE(facts) << wrong;
    EXPECT_EQ(facts.error().code, Errc::corrupt);
  }
}

}  // namespace
}  // namespace runctl::transfer
