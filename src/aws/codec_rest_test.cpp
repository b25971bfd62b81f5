#include "aws/codec_rest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/s3/bucket.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/multipart.hpp"
#include "aws/s3/object.hpp"

namespace runctl::aws {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr Timestamp time =
    std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min + 37s;

std::vector<std::string> lines(const std::vector<HttpHeader>& headers) {
  std::vector<std::string> out;
  for (const HttpHeader& header : headers) out.push_back(header.name + ": " + header.value);
  return out;
}

template <class Operation>
Result<typename Operation::Response> response_of(std::string body,
                                                 std::vector<HttpHeader> headers = {}) {
  typename Operation::Response response{};
  RUNCTL_TRY(read_rest_response(
      Operation::info, {.status = 200, .headers = std::move(headers), .body = std::move(body)},
      reading(response)));
  return response;
}

template <class Operation>
typename Operation::Response answer_round_trip(const typename Operation::Response& response) {
  typename Operation::Response read{};
  const auto result = read_rest_response(
      Operation::info, write_rest_response(Operation::info, writing(response)), reading(read));
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return read;
}

template <class Operation>
Result<typename Operation::Request> read_as(const RestRequest& request) {
  typename Operation::Request read{};
  RUNCTL_TRY(read_rest_request(Operation::info, request, reading(read)));
  return read;
}

TEST(RestCodec, PutsMembersWhereTheModelHasThem) {
  const auto request = rest_request<s3::PutObject>({.bucket = "b",
                                                    .key = "a/../ü",
                                                    .content_type = "text/plain",
                                                    .if_none_match = "*",
                                                    .metadata = {{"mtime", "1"}, {"empty", ""}},
                                                    .storage_class = "GLACIER"});
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.bucket, "b");
  EXPECT_EQ(request.key, "a/../ü");
  EXPECT_TRUE(request.query.empty());
  EXPECT_EQ(request.body, "");
  EXPECT_THAT(lines(request.headers),
              testing::UnorderedElementsAre("content-type: text/plain", "if-none-match: *",
                                            "x-amz-meta-mtime: 1",
                                            "x-amz-meta-empty: ", "x-amz-storage-class: GLACIER"));
}

TEST(RestCodec, PutsTheTemplatesQueryBeforeTheMembers) {
  const auto list =
      rest_request<s3::ListObjectsV2>({.bucket = "b", .max_keys = 5, .prefix = "a b"});
  EXPECT_THAT(list.query,
              ElementsAre(Pair("list-type", "2"), Pair("max-keys", "5"), Pair("prefix", "a b")));
  const auto versions = rest_request<s3::ListObjectVersions>({.bucket = "b"});
  EXPECT_THAT(versions.query, ElementsAre(Pair("versions", "")));
  const auto uploads = rest_request<s3::CreateMultipartUpload>({.bucket = "b", .key = "k"});
  EXPECT_EQ(uploads.method, "POST");
  EXPECT_THAT(uploads.query, ElementsAre(Pair("uploads", "")));
}

TEST(RestCodec, WritesAPayloadAsTheDocument) {
  const s3::CompletedMultipartUpload parts{
      .parts = {{.etag = "\"a\"", .part_number = 1}, {.etag = "\"b\"", .part_number = 2}}};
  const auto request = rest_request<s3::CompleteMultipartUpload>(
      {.bucket = "b", .key = "k", .multipart_upload = parts, .upload_id = "u"});
  EXPECT_THAT(request.query, ElementsAre(Pair("uploadId", "u")));
  EXPECT_EQ(request.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><ETag>&quot;a&quot;</ETag><PartNumber>1</PartNumber></Part>"
            "<Part><ETag>&quot;b&quot;</ETag><PartNumber>2</PartNumber></Part>"
            "</CompleteMultipartUpload>");
  const auto read = read_as<s3::CompleteMultipartUpload>(request);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->bucket, "b");
  EXPECT_EQ(read->key, "k");
  EXPECT_EQ(read->upload_id, "u");
  ASSERT_EQ(read->multipart_upload->parts.size(), 2U);
  EXPECT_EQ(read->multipart_upload->parts[1].etag, "\"b\"");
  EXPECT_EQ(read->multipart_upload->parts[1].part_number, 2);
}

TEST(RestCodec, WritesTimesInHeadersAsHttpDoes) {
  const auto request =
      rest_request<s3::HeadObject>({.bucket = "b", .key = "k", .if_modified_since = time});
  EXPECT_THAT(lines(request.headers),
              ElementsAre("if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_EQ(read_as<s3::HeadObject>(request)->if_modified_since, time);
}

TEST(RestCodec, ReadsARequestAsS3Does) {
  const auto read = read_as<s3::GetObject>(
      {.method = "GET",
       .bucket = "b",
       .key = "k",
       .query = {{"versionId", "v"}, {"unknown", "1"}, {"partNumber", "3"}},
       .headers = {{.name = "Range", .value = "bytes=0-9"}, {.name = "x-other", .value = ""}}});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->version_id, "v");
  EXPECT_EQ(read->part_number, 3);
  EXPECT_EQ(read->range, "bytes=0-9");
}

TEST(RestCodec, RefusesARequestThatIsNotOfItsForm) {
  const auto word =
      read_as<s3::ListObjectsV2>({.method = "GET", .bucket = "b", .query = {{"max-keys", "ten"}}});
  ASSERT_FALSE(word.has_value());
  EXPECT_EQ(word.error().remote->code, "InvalidArgument");
  EXPECT_THAT(word.error().message, HasSubstr("max-keys is 'ten'"));
  for (const std::string body : {"<Delete><Object>", "<Other/>", "nonsense"}) {
    const auto read = read_as<s3::DeleteObjects>({.method = "POST", .bucket = "b", .body = body});
    ASSERT_FALSE(read.has_value()) << body;
    EXPECT_EQ(read.error().remote->code, "MalformedXML");
  }
  EXPECT_TRUE(read_as<s3::CreateBucket>({.method = "PUT", .bucket = "b"}).has_value());
}

TEST(RestCodec, ReadsAListingOfS3) {
  const auto list = response_of<s3::ListObjectsV2>(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix>
<NextContinuationToken>1ueGcxLPRx1Tr</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys>
<Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>
<Contents><Key> </Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>
<ChecksumAlgorithm>SHA1</ChecksumAlgorithm><Size>434234</Size><StorageClass>STANDARD</StorageClass>
<Owner><ID>me</ID></Owner></Contents>
<Contents><Key>a&amp;b</Key><New>1</New><Size>5368709120000</Size></Contents>
<CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes></ListBucketResult>)",
      {{.name = "x-amz-request-charged", .value = "requester"}});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_EQ(list->name, "b");
  EXPECT_EQ(list->prefix, "");
  EXPECT_EQ(list->is_truncated, true);
  EXPECT_EQ(list->next_continuation_token, "1ueGcxLPRx1Tr");
  EXPECT_EQ(list->request_charged, "requester");
  ASSERT_EQ(list->contents.size(), 2U);
  EXPECT_EQ(list->contents[0].key, " ");
  EXPECT_EQ(list->contents[0].etag, "\"fba9dede5f27731c9771645a39863328\"");
  EXPECT_THAT(list->contents[0].checksum_algorithm, ElementsAre("CRC32", "SHA1"));
  EXPECT_EQ(iso8601(*list->contents[0].last_modified), "2009-10-12T17:50:30.000Z");
  EXPECT_EQ(list->contents[0].owner->id, "me");
  EXPECT_EQ(list->contents[1].key, "a&b");
  EXPECT_EQ(list->contents[1].size, 5'368'709'120'000);
  ASSERT_EQ(list->common_prefixes.size(), 1U);
  EXPECT_EQ(list->common_prefixes[0].prefix, "photos/");
}

TEST(RestCodec, ReadsBackTheAnswersThatItWrites) {
  const auto list = answer_round_trip<s3::ListObjectsV2>(
      {.is_truncated = false,
       .contents = {{.key = "<k>", .last_modified = time, .etag = "\"e\"", .size = 0},
                    {.key = "l", .checksum_algorithm = {"CRC32C"}, .size = 1}},
       .name = "b",
       .prefix = "",
       .common_prefixes = {{.prefix = "p/"}}});
  ASSERT_EQ(list.contents.size(), 2U);
  EXPECT_EQ(list.contents[0].key, "<k>");
  EXPECT_EQ(list.contents[0].last_modified, time);
  EXPECT_THAT(list.contents[1].checksum_algorithm, ElementsAre("CRC32C"));
  EXPECT_EQ(list.common_prefixes[0].prefix, "p/");
  EXPECT_EQ(list.prefix, "");

  const auto buckets =
      answer_round_trip<s3::ListBuckets>({.buckets = {{.name = "one"}, {.name = "two"}}});
  ASSERT_EQ(buckets.buckets.size(), 2U);
  EXPECT_EQ(buckets.buckets[1].name, "two");

  const auto copy = answer_round_trip<s3::CopyObject>(
      {.copy_object_result = s3::CopyObjectResult{.etag = "\"e\""}, .version_id = "v"});
  EXPECT_EQ(copy.copy_object_result->etag, "\"e\"");
  EXPECT_EQ(copy.version_id, "v");

  const auto head = answer_round_trip<s3::HeadObject>({.last_modified = time,
                                                       .content_length = 5,
                                                       .etag = "\"e\"",
                                                       .metadata = {{"a", "1"}, {"b", ""}}});
  EXPECT_EQ(head.last_modified, time);
  EXPECT_EQ(head.content_length, 5);
  EXPECT_THAT(head.metadata, ElementsAre(Pair("a", "1"), Pair("b", "")));

  EXPECT_EQ(answer_round_trip<s3::GetBucketLocation>({.location_constraint = "eu-west-1"})
                .location_constraint,
            "eu-west-1");
  EXPECT_EQ(answer_round_trip<s3::ListParts>({}).parts.size(), 0U);
}

TEST(RestCodec, WritesTheListingsRootAndStatus) {
  const auto list = write_rest_response(s3::ListBuckets::info,
                                        writing(s3::ListBucketsOutput{.buckets = {{.name = "b"}}}));
  EXPECT_EQ(list.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>");
  EXPECT_THAT(lines(list.headers), ElementsAre("content-type: application/xml"));
  const auto gone = write_rest_response(s3::DeleteObject::info, writing(s3::DeleteObjectOutput{}));
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.body, "");
  EXPECT_TRUE(gone.headers.empty());
}

TEST(RestCodec, WhatIsNoAnswerIsCorrupt) {
  for (const std::string body : {"", "nonsense", "<ListBucketResult><Contents>"}) {
    const auto list = response_of<s3::ListObjectsV2>(body);
    ASSERT_FALSE(list.has_value()) << body;
    EXPECT_EQ(list.error().code, Errc::corrupt);
  }
  const auto size = response_of<s3::ListObjectsV2>(
      "<ListBucketResult><Contents><Size>big</Size></Contents></ListBucketResult>");
  EXPECT_THAT(size.error().message, HasSubstr("Size is 'big'"));
  EXPECT_TRUE(response_of<s3::PutObject>("").has_value());  // all of it is in headers
}

TEST(RestCodec, ReadsAndWritesErrors) {
  const RestError error{.code = "AuthorizationHeaderMalformed",
                        .message = "a < b",
                        .resource = "/b/k",
                        .request_id = "r",
                        .host_id = "h",
                        .region = "eu-west-1"};
  const auto read = read_rest_error(write_rest_error(error));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->code, error.code);
  EXPECT_EQ(read->message, error.message);
  EXPECT_EQ(read->region, error.region);
  EXPECT_EQ(read->request_id, "r");
  for (const std::string body :
       {"", "nonsense", "<CopyObjectResult/>", "<Errors><Error/></Errors>"}) {
    EXPECT_FALSE(read_rest_error(body).has_value()) << body;
  }
  // S3 keeps a connection open with blanks while it works.
  EXPECT_EQ(read_rest_error("  \n\n <?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>")
                .value_or(RestError{})
                .code,
            "SlowDown");
}

TEST(HttpDate, IsReadAsItIsWritten) {
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value(), time);
  for (const std::string text :
       {"", "Sun, 06 Nov 1994 08:49:37 UTC", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun, 06 Now 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(parse_http_date(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace runctl::aws
