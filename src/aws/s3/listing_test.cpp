#include "aws/s3/listing.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "aws/codec_rest.hpp"

namespace runctl::aws::s3 {
namespace {

// A key is any bytes but none; what the emulator writes, the client reads.
RC_GTEST_PROP(S3Listing, BringsEveryNameThroughXml, ()) {
  const auto keys = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::nonZero<char>())));
  ListObjectsV2Output answer{.name = "b", .prefix = keys.empty() ? "" : keys[0]};
  for (const std::string& key : keys) {
    answer.contents.push_back({.key = key, .size = 1});
    answer.common_prefixes.push_back({.prefix = key + '/'});
  }
  encode_names(answer);
  ListObjectsV2Output read;
  RC_ASSERT(read_rest_response(ListObjectsV2::info,
                               write_rest_response(ListObjectsV2::info, writing(answer)),
                               reading(read))
                .has_value());
  decode_names(read);
  RC_ASSERT(read.contents.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    RC_ASSERT(read.contents[i].key == keys[i]);
    RC_ASSERT(read.common_prefixes[i].prefix == keys[i] + '/');
  }
  RC_ASSERT(read.prefix == (keys.empty() ? "" : keys[0]));
}

TEST(S3Listing, IsLeftAsItIsWhenNothingIsEncoded) {
  ListObjectsV2Output answer{.contents = {{.key = "a%20b+c"}}};
  decode_names(answer);
  EXPECT_EQ(answer.contents[0].key, "a%20b+c");
}

TEST(S3Listing, KeepsSlashes) {
  ListMultipartUploadsOutput answer{.prefix = "a/b c", .uploads = {{.key = "a/b c/d"}}};
  encode_names(answer);
  EXPECT_EQ(answer.uploads[0].key, "a/b%20c/d");
  EXPECT_EQ(answer.prefix, "a/b%20c");
  EXPECT_EQ(answer.encoding_type, "url");
}

TEST(S3Listing, CoversVersionsAndTheirMarkers) {
  ListObjectVersionsOutput answer{
      .next_key_marker = "\n", .versions = {{.key = "\x01"}}, .delete_markers = {{.key = "\x02"}}};
  encode_names(answer);
  EXPECT_EQ(answer.next_key_marker, "%0A");
  EXPECT_EQ(answer.versions[0].key, "%01");
  decode_names(answer);
  EXPECT_EQ(answer.next_key_marker, "\n");
  EXPECT_EQ(answer.versions[0].key, "\x01");
  EXPECT_EQ(answer.delete_markers[0].key, "\x02");
}

}  // namespace
}  // namespace runctl::aws::s3
