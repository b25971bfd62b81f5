// What S3 decides from headers and names, without a store.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "emulator/s3/address.hpp"
#include "emulator/s3/conditions.hpp"
#include "emulator/s3/dispatch.hpp"
#include "emulator/s3/range.hpp"
#include "emulator/s3/record_text.hpp"
#include "emulator/s3/service.hpp"
#include "emulator/s3/store.hpp"

namespace runctl::emulator::s3 {
namespace {

std::string code_of(const Error& error) { return error.remote ? error.remote->code : ""; }

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "" : code_of(result.error());
}

TEST(S3Address, FindsTheBucketInTheHost) {
  for (const auto& [host, bucket] : std::vector<std::pair<std::string, std::string>>{
           {"photos.localhost:4599", "photos"},
           {"a.b.localhost", "a.b"},
           {"photos.s3.localhost", "photos"},
           {"s3.localhost", ""},
           {"localhost:4599", ""},
           {"127.0.0.1:4599", ""},
           {"photos.s3.amazonaws.com", "photos"},
           {"a.s3.b.s3.eu-west-1.amazonaws.com", "a.s3.b"},
           {"photos.s3-eu-west-1.amazonaws.com", "photos"},
           {"s3.eu-west-1.amazonaws.com", ""},
           {"minio.example", ""}}) {
    EXPECT_EQ(bucket_in_host(host), bucket) << host;
  }
}

HttpRequest request(std::string method, std::string target, std::vector<HttpHeader> headers = {}) {
  headers.push_back({.name = "host", .value = "127.0.0.1:4599"});
  return {.method = std::move(method),
          .url = "http://127.0.0.1:4599" + target,
          .headers = std::move(headers)};
}

TEST(S3Address, TellsItsRequestsFromOthers) {
  const auto signed_for = [](const std::string& service) {
    return HttpHeader{.name = "authorization",
                      .value = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/" + service +
                               "/aws4_request, SignedHeaders=host, Signature=0"};
  };
  EXPECT_TRUE(is_s3_request(request("GET", "/", {signed_for("s3")})));
  EXPECT_FALSE(is_s3_request(request("GET", "/b/k", {signed_for("ec2")})));
  EXPECT_TRUE(is_s3_request(
      request("PUT", "/b/k?X-Amz-Credential=KEY%2F20260101%2Fus-east-1%2Fs3%2Faws4_request")));
  EXPECT_TRUE(is_s3_request(request("GET", "/b/k")));
  EXPECT_TRUE(is_s3_request(request("GET", "/b/k", {{"authorization", "AWS KEY:SIGNATURE"}})));
  EXPECT_TRUE(is_s3_request(request("POST", "/b?delete")));
  EXPECT_FALSE(is_s3_request(request("POST", "/")));
  EXPECT_FALSE(is_s3_request(request(
      "POST", "/b", {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}})));
  EXPECT_FALSE(is_s3_request(request("GET", "/?Action=DescribeVolumes&Version=2016-11-15")));
  EXPECT_FALSE(is_s3_request(request("POST", "/b", {{"x-amz-target", "AmazonSSM.SendCommand"}})));
}

TEST(S3Address, ReadsBucketAndKeyAsTheyAre) {
  const auto read = read_head(request("GET", "/b/a//..%2F%00+%20?versionId=x+y&uploads"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->bucket, "b");
  EXPECT_EQ(read->key, (std::string{"a//../\0+ ", 9}));
  EXPECT_EQ(read->query, (std::vector<std::pair<std::string, std::string>>{{"versionId", "x y"},
                                                                           {"uploads", ""}}));
  EXPECT_EQ(code_of(read_head(request("GET", "/b/" + std::string(1'025, 'x')))), "KeyTooLongError");
  EXPECT_EQ(read_head(request("GET", "/b/"))->key, "");
}

TEST(S3Address, KnowsWhatABucketMayBeCalled) {
  for (const std::string& name :
       std::vector<std::string>{"abc", "a.b", "a-b", "0ab", std::string(63, 'a')}) {
    EXPECT_TRUE(is_bucket_name(name)) << name;
  }
  for (const std::string_view name : {"ab", "Abc", "a_b", "-ab", "ab-", "a..b", "192.168.5.4",
                                      "xn--abc", "abc-s3alias", "_runctl", "a/b", ""}) {
    EXPECT_FALSE(is_bucket_name(name)) << name;
  }
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
}

TEST(S3Address, ReadsWhatACopyIsOf) {
  const auto source = parse_copy_source("/b/a%20b/c?versionId=null");
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ(source->bucket, "b");
  EXPECT_EQ(source->key, "a b/c");
  EXPECT_EQ(source->version_id, "null");
  for (const std::string_view bad : {"", "b", "/b/", "//k"}) {
    EXPECT_EQ(code_of(parse_copy_source(bad)), "InvalidArgument") << bad;
  }
}

std::string action(std::string method, std::string target, std::vector<HttpHeader> headers = {}) {
  const auto read = read_head(request(std::move(method), std::move(target), std::move(headers)));
  return std::string{action_of(*read)};
}

TEST(S3Dispatch, KnowsWhatIsAsked) {
  EXPECT_EQ(action("GET", "/"), "ListBuckets");
  EXPECT_EQ(action("GET", "/b?list-type=2&prefix=x"), "ListObjectsV2");
  EXPECT_EQ(action("GET", "/b"), "ListObjects");
  EXPECT_EQ(action("GET", "/b/?versions"), "ListObjectVersions");
  EXPECT_EQ(action("POST", "/b?delete"), "DeleteObjects");
  EXPECT_EQ(action("GET", "/b/k?uploadId=1"), "ListParts");
  EXPECT_EQ(action("PUT", "/b/k"), "PutObject");
  EXPECT_EQ(action("PUT", "/b/k", {{"x-amz-copy-source", "b/k"}}), "CopyObject");
  EXPECT_EQ(action("PUT", "/b/k?partNumber=1&uploadId=1"), "UploadPart");
  EXPECT_EQ(action("PUT", "/b/k?partNumber=1&uploadId=1", {{"x-amz-copy-source", "b/k"}}),
            "UploadPartCopy");
  EXPECT_EQ(action("DELETE", "/b/k?uploadId=1"), "AbortMultipartUpload");
  EXPECT_EQ(action("GET", "/b?policy"), "");
}

TEST(S3Range, TakesOneRangeOrAll) {
  const auto range = [](std::string_view header, std::uint64_t size) {
    return *parse_range(header, size);
  };
  EXPECT_EQ(range("bytes=0-0", 10), (ByteRange{0, 1}));
  EXPECT_EQ(range("bytes=9-9", 10), (ByteRange{9, 1}));
  EXPECT_EQ(range("bytes=3-", 10), (ByteRange{3, 7}));
  EXPECT_EQ(range("bytes=-3", 10), (ByteRange{7, 3}));
  EXPECT_EQ(range("bytes=-30", 10), (ByteRange{0, 10}));
  EXPECT_EQ(range("bytes=3-30", 10), (ByteRange{3, 7}));
  EXPECT_EQ(range("bytes=0-18446744073709551615", 10), (ByteRange{0, 10}));
  for (const std::string_view all :
       {"", "bytes=", "bytes=a-b", "bytes=5-3", "lines=1-2", "bytes=0-1,3-4", "bytes=-"}) {
    EXPECT_EQ(range(all, 10), std::nullopt) << all;
  }
  for (const std::string_view none : {"bytes=10-", "bytes=10-20", "bytes=-0"}) {
    EXPECT_EQ(code_of(parse_range(none, 10)), "InvalidRange") << none;
  }
  EXPECT_EQ(code_of(parse_range("bytes=0-", 0)), "InvalidRange");
}

TEST(S3Range, WantsBothEndsOfACopy) {
  EXPECT_EQ(*parse_copy_range("bytes=1-9", 10), (ByteRange{1, 9}));
  for (const std::string_view bad :
       {"bytes=1-10", "bytes=1-", "bytes=-1", "1-2", "bytes=3-2", ""}) {
    EXPECT_EQ(code_of(parse_copy_range(bad, 10)), "InvalidArgument") << bad;
  }
}

constexpr Timestamp noon{std::chrono::hours{12}};
constexpr Timestamp later = noon + std::chrono::seconds{1};

TEST(S3Conditions, AreWeighedAsHttpSays) {
  const ObjectRecord object{.etag = "abc", .modified = noon + std::chrono::milliseconds{300}};
  const auto judged = [&](const Conditions& conditions) {
    return code_of(check_read(conditions, object));
  };
  EXPECT_EQ(judged({}), "");
  EXPECT_EQ(judged({.if_match = "\"abc\""}), "");
  EXPECT_EQ(judged({.if_match = "\"x\", abc"}), "");
  EXPECT_EQ(judged({.if_match = "*"}), "");
  EXPECT_EQ(judged({.if_match = "\"ab\""}), "PreconditionFailed");
  EXPECT_EQ(judged({.if_none_match = "\"abc\""}), "NotModified");
  EXPECT_EQ(judged({.if_none_match = "\"x\""}), "");
  EXPECT_EQ(judged({.if_modified_since = noon}), "NotModified") << "fractions do not count";
  EXPECT_EQ(judged({.if_modified_since = noon - std::chrono::seconds{1}}), "");
  EXPECT_EQ(judged({.if_unmodified_since = noon}), "");
  EXPECT_EQ(judged({.if_unmodified_since = noon - std::chrono::seconds{1}}), "PreconditionFailed");
  EXPECT_EQ(judged({.if_match = "abc", .if_unmodified_since = Timestamp{}}), "");
  EXPECT_EQ(judged({.if_none_match = "x", .if_modified_since = later}), "");
  EXPECT_EQ(code_of(check_copy_source({.if_none_match = "abc"}, object)), "PreconditionFailed");
}

TEST(S3Conditions, GuardWrites) {
  const ObjectRecord object{.etag = "abc"};
  EXPECT_EQ(code_of(check_write({}, nullptr)), "");
  EXPECT_EQ(code_of(check_write({.if_none_match = "*"}, nullptr)), "");
  EXPECT_EQ(code_of(check_write({.if_none_match = "*"}, &object)), "PreconditionFailed");
  EXPECT_EQ(code_of(check_write({.if_none_match = "abc"}, &object)), "NotImplemented");
  EXPECT_EQ(code_of(check_write({.if_match = "abc"}, &object)), "");
  EXPECT_EQ(code_of(check_write({.if_match = "x"}, &object)), "PreconditionFailed");
  EXPECT_EQ(code_of(check_write({.if_match = "abc"}, nullptr)), "NoSuchKey");
}

TEST(S3Records, SurviveBeingText) {
  const StoredHeaders headers{{"content-type", "text/plain; charset=utf-8"},
                              {"x-amz-meta-odd", "a=b\n%41\xff"},
                              {"x-amz-meta-empty", ""}};
  EXPECT_EQ(headers_from(to_text(headers)), headers);
  const auto segments = segments_from(to_text(std::vector<Segment>{{.blob = 0x2a, .size = 7}, {}}));
  ASSERT_TRUE(segments.has_value());
  ASSERT_EQ(segments->size(), 2U);
  EXPECT_EQ(segments->front().blob, 0x2aU);
  EXPECT_EQ(segments->front().size, 7U);
  EXPECT_FALSE(segments_from("2a").has_value());
  EXPECT_FALSE(segments_from("x:1").has_value());
}

TEST(S3Store, FindsWhatComesAfterAPrefix) {
  EXPECT_EQ(after_prefix("a/"), "a0");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
}

}  // namespace
}  // namespace runctl::emulator::s3
