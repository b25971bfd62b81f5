#include "transfer/uri.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace runctl::transfer {
namespace {

TEST(Uri, IsABucketAndWhatStandsBehindItsSlash) {
  struct Case {
    std::string text, bucket, key;
  };
  for (const Case& c : std::vector<Case>{{"s3://bucket", "bucket", ""},
                                         {"s3://bucket/", "bucket", ""},
                                         {"s3://bucket/a/b.pt", "bucket", "a/b.pt"},
                                         {"s3://bucket/a/", "bucket", "a/"},
                                         {"s3://bucket//a", "bucket", "/a"},
                                         {"s3://bucket/a//b", "bucket", "a//b"},
                                         {"s3://bucket/../x", "bucket", "../x"},
                                         {"s3://bucket/what?#%20", "bucket", "what?#%20"},
                                         {"S3://bucket/x", "bucket", "x"},
                                         {"s3://Old_Bucket.x/ä", "Old_Bucket.x", "ä"}}) {
    const auto uri = parse_s3_uri(c.text);
    ASSERT_TRUE(uri.has_value()) << c.text;
    EXPECT_EQ(uri->bucket, c.bucket) << c.text;
    EXPECT_EQ(uri->key, c.key) << c.text;
  }
}

TEST(Uri, WhatIsNoneIsToldWhatItShouldHaveBeen) {
  struct Case {
    std::string text, hint;
  };
  for (const Case& c :
       std::vector<Case>{{"s3:/bucket/x", "Write s3://bucket/x."},
                         {"s3:bucket/x", "Write s3://bucket/x."},
                         {"s3:", "Write s3://BUCKET/KEY."},
                         {"bucket/x", "such as s3://bucket/x."},
                         {"s3://", "Write s3://BUCKET/KEY."},
                         {"s3:///x", "Write s3://BUCKET/KEY."},
                         {"s3://a/x", "3 to 63"},
                         {"s3://my bucket/x", "3 to 63"},
                         {"s3://bucket?x", "3 to 63"},
                         {"arn:aws:s3:::bucket/x", "access point's alias"},
                         {"https://data.s3.eu-west-1.amazonaws.com/a/b%20c?versionId=1",
                          "Write s3://data/a/b c."},
                         {"https://s3.eu-west-1.amazonaws.com/data/a", "Write s3://data/a."},
                         {"https://s3-eu-west-1.amazonaws.com/data/a", "Write s3://data/a."},
                         {"HTTP://localhost:9000/data", "--endpoint-url"},
                         {"s3://bucket/" + std::string(1'025, 'k'), "up to 1024 bytes"},
                         {"s3://bucket/\xff", "UTF-8"}}) {
    const auto uri = parse_s3_uri(c.text);
    ASSERT_FALSE(uri.has_value()) << c.text;
    EXPECT_EQ(uri.error().code, Errc::invalid_argument) << c.text;
    EXPECT_TRUE(uri.error().hint.contains(c.hint)) << c.text << ": " << uri.error().hint;
  }
  EXPECT_TRUE(parse_s3_uri("s3://bucket/" + std::string(1'024, 'k')).has_value());
}

TEST(Uri, AFolderIsTheSameWithAndWithoutItsSlash) {
  EXPECT_EQ(folder_of({.bucket = "b", .key = ""}), "");
  EXPECT_EQ(folder_of({.bucket = "b", .key = "data"}), "data/");
  EXPECT_EQ(folder_of({.bucket = "b", .key = "data/"}), "data/");
  EXPECT_EQ(folder_of({.bucket = "b", .key = "data//"}), "data//");
}

TEST(Uri, IsToldFromALocalPathByItsBeginning) {
  for (const char* text : {"s3://b/k", "s3:/b", "S3:b", "s3:"})
    EXPECT_TRUE(is_s3_uri(text)) << text;
  for (const char* text : {"./s3:x", "s3", "s3x", "/s3://b", ""})
    EXPECT_FALSE(is_s3_uri(text)) << text;
}

}  // namespace
}  // namespace runctl::transfer
