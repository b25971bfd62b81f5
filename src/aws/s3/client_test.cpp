// What calls of S3 look like on the wire, how often they are sent, and what is believed of answers.
#include "aws/s3/client.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/s3/test_bed.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

HttpResponse always_ok(const HttpRequest&, int) { return ok(); }

std::unexpected<runctl::Error> lost() {
  auto failed = fail(Errc::unavailable, "lost");
  failed.error().effect = Effect::unknown;
  return failed;
}

std::string check_of(std::string_view text, CrcKind kind = CrcKind::crc64nvme) {
  return crc_text(kind, crc(kind, std::as_bytes(std::span{text})));
}

TEST(S3Client, SignsWhateverAKeyHolds) {
  Bed bed{always_ok};
  auto client = bed.client();
  for (const std::string key : {"k", "//a/../b/./c", "a b+c&d=e?f#g%2F", "ü/\x01", "~-_.!*'()"}) {
    const auto head = client.call<HeadObject>({.bucket = "bkt", .key = key});
    EXPECT_TRUE(head.has_value()) << key << ": " << head.error().message;
  }
  EXPECT_EQ(bed.http.requests[1].url, "https://bkt.s3.us-east-1.amazonaws.com///a/../b/./c");
}

TEST(S3Client, RefusesWhatWouldChangeTheRequestsMeaning) {
  Bed bed{always_ok};
  auto client = bed.client();
  // Without a key it would be DeleteBucket.
  EXPECT_EQ(client.call<DeleteObject>({.bucket = "bkt"}).error().code, Errc::invalid_argument);
  EXPECT_EQ(client.call<ListObjectsV2>({}).error().code, Errc::invalid_argument);
  EXPECT_EQ(client.call<ListObjectsV2>({.bucket = ".."}).error().code, Errc::invalid_argument);
  TextSource source{"x"};
  for (const auto& metadata : {std::map<std::string, std::string>{{"a", "1\r\nx-amz-acl: public"}},
                               {{"a\r\nb", "1"}},
                               {{"a:b", "1"}}}) {
    const auto put = client.put({.bucket = "bkt", .key = "k", .metadata = metadata}, source);
    EXPECT_EQ(put.error().code, Errc::invalid_argument);
  }
  EXPECT_EQ(bed.sent(), 0U);
}

TEST(S3Client, LearnsABucketsRegionOnce) {
  for (const auto& moved :
       {HttpResponse{.status = 301,
                     .headers = {{.name = "x-amz-bucket-region", .value = "eu-west-1"}}},
        HttpResponse{.status = 400,
                     .headers = {{.name = "x-amz-bucket-region", .value = "eu-west-1"}}},
        HttpResponse{.status = 400,
                     .body = write_rest_error(
                         {.code = "AuthorizationHeaderMalformed", .region = "eu-west-1"})},
        HttpResponse{
            .status = 307,
            .headers = {{.name = "location", .value = "https://bkt.s3-eu-west-1.amazonaws.com/k"}}},
        HttpResponse{.status = 301,
                     .body = write_rest_error({.code = "PermanentRedirect",
                                               .endpoint = "bkt.s3.eu-west-1.amazonaws.com"})}}) {
    Bed bed{[&](const HttpRequest&, int number) { return number == 1 ? moved : ok(); }};
    auto client = bed.client();
    EXPECT_TRUE(client.call<HeadObject>({.bucket = "bkt", .key = "k"}).has_value());
    EXPECT_TRUE(client.call<HeadObject>({.bucket = "bkt", .key = "l"}).has_value());
    EXPECT_TRUE(client.call<HeadObject>({.bucket = "other", .key = "k"}).has_value());
    EXPECT_THAT(bed.http.regions, ElementsAre("us-east-1", "eu-west-1", "eu-west-1", "us-east-1"));
    EXPECT_EQ(bed.http.requests[1].url, "https://bkt.s3.eu-west-1.amazonaws.com/k");
    EXPECT_EQ(client.counters().retries, 0U);
  }
}

TEST(S3Client, DoesNotFollowForEver) {
  Bed bed{[](const HttpRequest&, int number) {
    return refusal(301, "PermanentRedirect",
                   {{.name = "x-amz-bucket-region", .value = number % 2 == 1 ? "r-1" : "r-2"}});
  }};
  EXPECT_EQ(bed.client().call<HeadObject>({.bucket = "bkt", .key = "k"}).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(bed.sent(), 3U);
}

TEST(S3Client, TakesNoHostForARegion) {
  Bed bed{[](const HttpRequest&, int) {
    return refusal(301, "PermanentRedirect",
                   {{.name = "x-amz-bucket-region", .value = "evil.com/"}});
  }};
  EXPECT_FALSE(bed.client().call<HeadObject>({.bucket = "bkt", .key = "k"}).has_value());
  EXPECT_EQ(bed.sent(), 1U);
}

TEST(S3Client, SendsAgainWhatMayBeSentAgain) {
  struct Case {
    HttpResponse answer;
    std::size_t sent;
  };
  for (const auto& [answer, sent] :
       std::initializer_list<Case>{{refusal(503, "SlowDown"), 8},
                                   {refusal(500, "InternalError"), 3},
                                   {refusal(400, "RequestTimeout"), 3},
                                   {HttpResponse{.status = 503}, 8},
                                   {refusal(404, "NoSuchKey"), 1},
                                   {refusal(403, "AccessDenied"), 1},
                                   {refusal(412, "PreconditionFailed"), 1}}) {
    Bed bed{[&](const HttpRequest&, int) { return answer; }};
    auto client = bed.client();
    EXPECT_FALSE(client.call<DeleteObject>({.bucket = "bkt", .key = "k"}).has_value());
    EXPECT_EQ(bed.sent(), sent) << answer.body;
    EXPECT_EQ(client.counters().requests, sent);
    EXPECT_EQ(client.counters().retries, sent - 1);
  }
}

// A second upload would lie in the bucket, unseen and paid for.
TEST(S3Client, BeginsAMultipartUploadOnceUnlessNothingBegan) {
  Bed uncertain{[](const HttpRequest&, int) -> Result<HttpResponse> { return lost(); }};
  const auto first = uncertain.client().call<CreateMultipartUpload>({.bucket = "bkt", .key = "k"});
  EXPECT_EQ(first.error().effect, Effect::unknown);
  EXPECT_EQ(uncertain.sent(), 1U);
  Bed slow{[](const HttpRequest&, int number) {
    return number < 3 ? refusal(503, "SlowDown")
                      : ok("<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                           "</InitiateMultipartUploadResult>");
  }};
  const auto second = slow.client().call<CreateMultipartUpload>({.bucket = "bkt", .key = "k"});
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->upload_id, "u");
}

TEST(S3Client, NoticesAnErrorInsideASuccess) {
  Bed bed{[](const HttpRequest&, int number) {
    return number == 1 ? ok("\n\n" + write_rest_error({.code = "InternalError"}))
                       : ok("<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag>"
                            "</CompleteMultipartUploadResult>");
  }};
  const auto done =
      bed.client().call<CompleteMultipartUpload>({.bucket = "bkt", .key = "k", .upload_id = "u"});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->etag, "\"e-1\"");
  EXPECT_EQ(bed.sent(), 2U);
}

// The first may have been the one that stands in the way of the second.
TEST(S3Client, ARefusalAfterALostAnswerIsNoProof) {
  Bed bed{[](const HttpRequest&, int number) -> Result<HttpResponse> {
    if (number == 1) return lost();
    return refusal(412, "PreconditionFailed");
  }};
  TextSource source{"x"};
  const auto put = bed.client().put({.bucket = "bkt", .key = "k", .if_none_match = "*"}, source);
  EXPECT_EQ(put.error().code, Errc::precondition);
  EXPECT_EQ(put.error().effect, Effect::unknown);
}

TEST(S3Client, SaysWhatAHeadWithoutBodyIsAbout) {
  Bed bed{[](const HttpRequest&, int) { return HttpResponse{.status = 404}; }};
  const auto head = bed.client().call<HeadObject>({.bucket = "bkt", .key = "a\x1b[2Jb"});
  EXPECT_EQ(head.error().code, Errc::not_found);
  EXPECT_EQ(head.error().message, "there is no s3://bkt/a%1B[2Jb");
  EXPECT_EQ(head.error().remote->http_status, 404);
}

TEST(S3Client, SendsASmallBodyWithItsCheckInAHeader) {
  Bed bed{always_ok};
  auto client = bed.client();
  TextSource source{"123456789"};
  const auto put = client.put({.bucket = "bkt", .key = "k"}, source);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  EXPECT_EQ(put->checksum_crc64nvme, "rosUhgp5mIg=");  // the server said nothing
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-checksum-crc64nvme"), "rosUhgp5mIg=");
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(bed.http.requests[0].body, "123456789");
  EXPECT_EQ(source.bytes_read, 9U);
}

// "2ee0\r\n…\r\n0\r\nx-amz-checksum-crc64nvme:…\r\n\r\n", over TLS to AWS, in one pass.
TEST(S3Client, SendsALargeBodyWithItsCheckBehindIt) {
  const std::string text(200'000, 'x');
  Bed bed{[](const HttpRequest&, int number) -> Result<HttpResponse> {
    if (number == 1) return lost();
    return ok();
  }};
  auto client = bed.client();
  TextSource source{text};
  const auto put = client.put(
      {.bucket = "bkt", .key = "k", .content_encoding = "gzip", .checksum_algorithm = "CRC32C"},
      source);
  ASSERT_TRUE(put.has_value()) << put.error().message;
  const std::string check = check_of(text, CrcKind::crc32c);
  EXPECT_EQ(put->checksum_crc32c, check);
  ASSERT_EQ(bed.sent(), 2U);
  const HttpRequest& sent = bed.http.requests[1];
  EXPECT_EQ(header_of(sent, "content-encoding"), "aws-chunked,gzip");
  EXPECT_EQ(header_of(sent, "x-amz-decoded-content-length"), "200000");
  EXPECT_EQ(header_of(sent, "x-amz-trailer"), "x-amz-checksum-crc32c");
  EXPECT_EQ(header_of(sent, "x-amz-content-sha256"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  EXPECT_EQ(sent.body, "30d40\r\n" + text + "\r\n0\r\nx-amz-checksum-crc32c:" + check + "\r\n\r\n");
  EXPECT_EQ(source.bytes_read, 2 * text.size());  // once an attempt
}

TEST(S3Client, SendsTheCheckBeforeTheBodyToOtherServers) {
  const std::string text(200'000, 'x');
  Bed bed{always_ok};
  bed.config.endpoint = "http://127.0.0.1:9000";
  auto client = bed.client();
  TextSource source{text};
  const auto part =
      client.upload_part({.bucket = "bkt", .key = "k", .part_number = 2, .upload_id = "u"}, source);
  ASSERT_TRUE(part.has_value()) << part.error().message;
  const HttpRequest& sent = bed.http.requests[0];
  EXPECT_EQ(sent.url, "http://127.0.0.1:9000/bkt/k?partNumber=2&uploadId=u");
  EXPECT_EQ(header_of(sent, "x-amz-checksum-crc64nvme"), check_of(text));
  EXPECT_EQ(header_of(sent, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(header_of(sent, "content-encoding"), "");
  EXPECT_EQ(sent.body, text);
}

TEST(S3Client, SignsBodiesThatOthersOnTheWayCouldChange) {
  for (const std::size_t size : {10UL, 200'000UL}) {
    const std::string text(size, 'x');
    Bed bed{always_ok};
    bed.config.endpoint = "http://10.0.0.1:9000";
    bed.config.checksum_place = ChecksumPlace::trailer;  // which such a body cannot have
    auto client = bed.client();
    TextSource source{text};
    const auto put = client.put({.bucket = "bkt", .key = "k"}, source);
    ASSERT_TRUE(put.has_value()) << put.error().message;
    EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-content-sha256"),
              hex(std::string_view{sha256(text)}));
    EXPECT_EQ(bed.http.requests[0].body, text);
  }
}

TEST(S3Client, LeavesAGivenCheckAlone) {
  Bed bed{always_ok};
  auto client = bed.client();
  TextSource source{std::string(100'000, 'x')};
  ASSERT_TRUE(
      client.put({.bucket = "bkt", .key = "k", .checksum_sha256 = "given"}, source).has_value());
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-checksum-sha256"), "given");
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-trailer"), "");
  EXPECT_EQ(
      client.put({.bucket = "bkt", .key = "k", .checksum_algorithm = "SHA1"}, source).error().code,
      Errc::invalid_argument);
}

TEST(S3Client, NoticesThatSomethingElseWasStored) {
  Bed bed{[](const HttpRequest&, int) {
    return ok({}, {{.name = "x-amz-checksum-crc64nvme", .value = "AAAAAAAAAAA="}});
  }};
  TextSource source{"x"};
  const auto put = bed.client().put({.bucket = "bkt", .key = "k"}, source);
  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, Errc::corrupt);
  EXPECT_EQ(put.error().effect, Effect::applied);
}

TEST(S3Client, SendsAgainWhatWasDamagedOnTheWay) {
  Bed bed{
      [](const HttpRequest&, int number) { return number < 3 ? refusal(400, "BadDigest") : ok(); }};
  TextSource source{"x"};
  EXPECT_TRUE(bed.client().put({.bucket = "bkt", .key = "k"}, source).has_value());
  EXPECT_EQ(bed.sent(), 3U);
}

TEST(S3Client, ComparesABodyWithItsCheck) {
  Bed bed{[](const HttpRequest&, int number) {
    return ok(number == 1 ? "123456789" : "12345678X",
              {{.name = "x-amz-checksum-crc32c", .value = "4waSgw=="}});
  }};
  auto client = bed.client();
  TextSink sink;
  const auto get = client.get({.bucket = "bkt", .key = "k"}, sink);
  ASSERT_TRUE(get.has_value()) << get.error().message;
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-checksum-mode"), "ENABLED");
  EXPECT_EQ(sink.text, "123456789");
  // It is asked for again, in vain, and the sink is told each time.
  const auto damaged = client.get({.bucket = "bkt", .key = "k"}, sink);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, Errc::corrupt);
  EXPECT_THAT(damaged.error().message, HasSubstr("CRC32C"));
  EXPECT_EQ(bed.sent(), 4U);
  EXPECT_EQ(sink.begins, 4);
}

TEST(S3Client, TakesABodyThatIsWholeTheSecondTime) {
  Bed bed{[](const HttpRequest&, int number) {
    return ok(number == 1 ? "12345678X" : "123456789",
              {{.name = "x-amz-checksum-crc64nvme", .value = "rosUhgp5mIg="}});
  }};
  TextSink sink;
  const auto get = bed.client().get({.bucket = "bkt", .key = "k"}, sink);
  ASSERT_TRUE(get.has_value()) << get.error().message;
  EXPECT_EQ(sink.text, "123456789");
  EXPECT_EQ(get->checksum_crc64nvme, "rosUhgp5mIg=");
}

TEST(S3Client, ComparesNothingWithACheckOfSomethingElse) {
  const std::vector<std::vector<HttpHeader>> heads{
      {{.name = "x-amz-checksum-crc32c", .value = "AAAAAA==-2"}},
      {{.name = "x-amz-checksum-crc32c", .value = "AAAAAA=="},
       {.name = "x-amz-checksum-type", .value = "COMPOSITE"}},
      {{.name = "x-amz-checksum-sha256", .value = "AAAA"}}};
  for (const auto& headers : heads) {
    Bed bed{[&](const HttpRequest&, int) { return ok("body", headers); }};
    TextSink sink;
    EXPECT_TRUE(bed.client().get({.bucket = "bkt", .key = "k"}, sink).has_value());
  }
  Bed part{[](const HttpRequest&, int) {
    return HttpResponse{.status = 206,
                        .headers = {{.name = "x-amz-checksum-crc32c", .value = "AAAAAA=="}},
                        .body = "part"};
  }};
  TextSink sink;
  const auto get = part.client().get({.bucket = "bkt", .key = "k", .range = "bytes=0-3"}, sink);
  EXPECT_TRUE(get.has_value());
  EXPECT_EQ(header_of(part.http.requests[0], "x-amz-checksum-mode"), "");
  EXPECT_EQ(header_of(part.http.requests[0], "range"), "bytes=0-3");
}

TEST(S3Client, ReadsNamesThatXmlCannotHold) {
  Bed bed{[](const HttpRequest&, int) {
    return ok(
        "<ListBucketResult><EncodingType>url</EncodingType><Prefix>a%0Ab+c</Prefix><Contents>"
        "<Key>a%0Ab+c/%2B%01</Key></Contents></ListBucketResult>");
  }};
  auto client = bed.client();
  const auto list = client.call<ListObjectsV2>({.bucket = "bkt", .prefix = "a\nb c"});
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_EQ(list->prefix, "a\nb c");
  EXPECT_EQ(list->contents.at(0).key, "a\nb c/+\x01");
  EXPECT_THAT(bed.http.requests[0].url,
              testing::EndsWith("/?list-type=2&prefix=a%0Ab%20c&encoding-type=url"));
  const auto raw = client.call<ListObjectsV2>({.bucket = "bkt", .encoding_type = "url"});
  EXPECT_EQ(raw->contents.at(0).key, "a%0Ab+c/%2B%01");  // who asks for it gets it
}

TEST(S3Client, ChecksWhatRemovesManyObjects) {
  Bed bed{[](const HttpRequest&, int) { return ok("<DeleteResult/>"); }};
  const auto done = bed.client().call<DeleteObjects>(
      {.bucket = "bkt", .remove = Delete{.objects = {{.key = "a"}, {.key = "b"}}, .quiet = true}});
  ASSERT_TRUE(done.has_value()) << done.error().message;
  const HttpRequest& sent = bed.http.requests[0];
  EXPECT_EQ(header_of(sent, "content-md5"), base64(md5(sent.body)));
  EXPECT_EQ(header_of(sent, "x-amz-checksum-crc64nvme"), check_of(sent.body));
  EXPECT_EQ(header_of(sent, "x-amz-content-sha256"), hex(std::string_view{sha256(sent.body)}));
}

TEST(S3Client, ReadsPublicBucketsWithoutCredentials) {
  Bed bed{always_ok};
  bed.config.unsigned_requests = true;
  bed.http.is_open = true;
  auto client = bed.client();
  TextSink sink;
  EXPECT_TRUE(client.get({.bucket = "bkt", .key = "k"}, sink).has_value());
  EXPECT_EQ(header_of(bed.http.requests[0], "authorization"), "");
  EXPECT_EQ(client.presign<GetObject>({.bucket = "bkt", .key = "k"}, seconds{60}).value(),
            "https://bkt.s3.us-east-1.amazonaws.com/k");
}

TEST(S3Client, SaysWhoPays) {
  Bed bed{always_ok};
  bed.config.requester_pays = true;
  TextSink sink;
  EXPECT_TRUE(bed.client().get({.bucket = "bkt", .key = "k"}, sink).has_value());
  EXPECT_EQ(header_of(bed.http.requests[0], "x-amz-request-payer"), "requester");
}

TEST(S3Client, PresignsWhatItsReceiverCanCheck) {
  Bed bed{always_ok};
  auto client = bed.client();
  const auto url = client.presign<GetObject>(
      {.bucket = "bkt", .key = "a b/../c", .version_id = "v"}, seconds{60});
  ASSERT_TRUE(url.has_value());
  EXPECT_THAT(*url, StartsWith("https://bkt.s3.us-east-1.amazonaws.com/a%20b/../c?versionId=v&"));
  const HttpRequest used{.url = *url,
                         .headers = {{.name = "host", .value = "bkt.s3.us-east-1.amazonaws.com"}}};
  EXPECT_TRUE(bed.http.send(used, {}, {}).value().status == 200);
  for (const seconds life : {seconds{0}, seconds{604'801}}) {
    EXPECT_EQ(client.presign<GetObject>({.bucket = "bkt", .key = "k"}, life).error().code,
              Errc::invalid_argument);
  }
}

TEST(S3Client, GetsNewCredentialsBeforeTheyEnd) {
  Bed bed{always_ok};
  bed.config.credentials.access_key_id = "OLD";
  bed.config.credentials.secret_access_key = Secret{"old"};
  bed.config.credentials.expires = bed.clock.now() + seconds{100};
  bed.config.renew = [&](const CallOptions&) -> Result<Credentials> {
    return Credentials{.access_key_id = "AKID", .secret_access_key = Secret{"secret"}};
  };
  auto client = bed.client();
  EXPECT_EQ(client.call<HeadBucket>({.bucket = "bkt"}).error().code, Errc::denied);
  bed.clock.advance(seconds{90});
  bed.http.now = bed.clock.now();
  EXPECT_TRUE(client.call<HeadBucket>({.bucket = "bkt"}).has_value());
}

TEST(S3Client, SignsWithTheDaysKey) {
  Bed bed{always_ok};
  auto client = bed.client();
  for (int day = 0; day < 3; ++day) {
    EXPECT_TRUE(client.call<HeadBucket>({.bucket = "bkt"}).has_value()) << day;
    bed.clock.advance(std::chrono::days{1});
    bed.http.now = bed.clock.now();
  }
}

TEST(S3Client, EndsAtTheCallersDeadline) {
  Bed bed{[](const HttpRequest&, int) { return refusal(503, "SlowDown"); }};
  auto client = bed.client();
  const auto head = client.call<HeadBucket>(
      {.bucket = "bkt"}, {.deadline = bed.clock.ticks() + std::chrono::milliseconds{1}});
  EXPECT_EQ(head.error().code, Errc::throttled);
  EXPECT_LE(bed.sent(), 2U);
}

}  // namespace
}  // namespace runctl::aws::s3
