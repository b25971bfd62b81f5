// Keys of customers' own: what is sent, where it is never sent, and what is told of them.
#include "aws/s3/customer_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/s3/test_bed.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string bytes = "0123456789abcdef0123456789ABCDEF";

CustomerKeys keys() { return {.object = CustomerKey::of(bytes).value()}; }

TEST(CustomerKey, HasThirtyTwoBytes) {
  for (const std::size_t size : {0U, 1U, 24U, 31U, 33U, 44U, 64U}) {
    const auto key = CustomerKey::of(std::string(size, 'k'));
    ASSERT_FALSE(key) << size;
    EXPECT_EQ(key.error().code, Errc::invalid_argument);
    EXPECT_THAT(key.error().message, HasSubstr("32 bytes, not " + std::to_string(size)));
    EXPECT_THAT(key.error().message, Not(HasSubstr("kk")));
  }
  const auto key = CustomerKey::of(bytes).value();
  EXPECT_EQ(key.reveal_base64(), base64(bytes));
  EXPECT_EQ(key.md5(), base64(md5(bytes)));
}

TEST(CustomerKey, IsToldFromAnotherByWhatTellsNothing) {
  const auto key = CustomerKey::of(bytes).value();
  const auto other = CustomerKey::of(std::string(32, 'x')).value();
  EXPECT_EQ(key.print(), CustomerKey::of(bytes)->print());
  EXPECT_NE(key.print(), other.print());
  EXPECT_EQ(key.print().size(), 32U);
  EXPECT_NE(key.print(), hex(std::string_view{md5(bytes)}));
}

TEST(CustomerKey, GoesWithEveryRequestOfTheObject) {
  Bed bed{[](const HttpRequest&, int) { return ok(); }};
  auto client = bed.client();
  const auto put = [&](auto request) {
    put_customer_key(keys().object, request);
    return request;
  };
  TextSource body{"body"};
  TextSink sink;
  (void)client.put(put(PutObjectRequest{.bucket = "bkt", .key = "k"}), body);
  (void)client.upload_part(
      put(UploadPartRequest{.bucket = "bkt", .key = "k", .part_number = 1, .upload_id = "u"}),
      body);
  (void)client.get(put(GetObjectRequest{.bucket = "bkt", .key = "k", .range = "bytes=0-1"}), sink);
  (void)client.call<HeadObject>(put(HeadObjectRequest{.bucket = "bkt", .key = "k"}));
  (void)client.call<CreateMultipartUpload>(
      put(CreateMultipartUploadRequest{.bucket = "bkt", .key = "k"}));
  (void)client.call<ListParts>(
      put(ListPartsRequest{.bucket = "bkt", .key = "k", .upload_id = "u"}));
  (void)client.call<CompleteMultipartUpload>(
      put(CompleteMultipartUploadRequest{.bucket = "bkt", .key = "k", .upload_id = "u"}));
  ASSERT_EQ(bed.sent(), 7U);
  const std::string name = "x-amz-server-side-encryption-customer-";
  for (const HttpRequest& sent : bed.http.requests) {
    EXPECT_EQ(header_of(sent, name + "algorithm"), "AES256") << sent.url;
    EXPECT_EQ(header_of(sent, name + "key"), base64(bytes)) << sent.url;
    EXPECT_EQ(header_of(sent, name + "key-md5"), base64(md5(bytes))) << sent.url;
    EXPECT_THAT(sent.url, Not(HasSubstr("customer")));
  }
}

TEST(CustomerKey, OfACopyAndOfItsSourceAreTwo) {
  Bed bed{[](const HttpRequest&, int) { return ok("<CopyObjectResult/>"); }};
  CopyObjectRequest request{.bucket = "bkt", .key = "k", .copy_source = "bkt/from"};
  put_customer_key(keys().object, request);
  put_copy_source_key(CustomerKey::of(std::string(32, 's')).value(), request);
  (void)bed.client().call<CopyObject>(request);
  ASSERT_EQ(bed.sent(), 1U);
  const std::string name = "server-side-encryption-customer-";
  const HttpRequest& sent = bed.http.requests.front();
  EXPECT_EQ(header_of(sent, "x-amz-" + name + "key"), base64(bytes));
  EXPECT_EQ(header_of(sent, "x-amz-copy-source-" + name + "key"), base64(std::string(32, 's')));
  EXPECT_EQ(header_of(sent, "x-amz-copy-source-" + name + "key-md5"),
            base64(md5(std::string(32, 's'))));
  EXPECT_EQ(header_of(sent, "x-amz-copy-source-" + name + "algorithm"), "AES256");
}

TEST(CustomerKey, IsNeverSentWhereOthersCanRead) {
  GetObjectRequest get{.bucket = "bkt", .key = "k"};
  put_customer_key(keys().object, get);
  CopyObjectRequest copy{.bucket = "bkt", .key = "k", .copy_source = "bkt/from"};
  put_copy_source_key(keys().object, copy);
  struct Case {
    std::string endpoint;
    bool is_sent;
  };
  for (const Case& one : std::vector<Case>{{"", true},
                                           {"https://s3.example:9000", true},
                                           {"http://127.0.0.1:4599", true},
                                           {"http://s3.example:9000", false},
                                           {"http://10.0.0.7", false},
                                           {"http://localhost.example", false}}) {
    Bed bed{[](const HttpRequest&, int) { return ok("<CopyObjectResult/>"); }};
    bed.config.endpoint = one.endpoint;
    auto client = bed.client();
    TextSink sink;
    const auto got = client.get(get, sink);
    const auto copied = client.call<CopyObject>(copy);
    const auto url = client.presign<GetObject>(get, std::chrono::seconds{60});
    EXPECT_EQ(bed.sent(), one.is_sent ? 2U : 0U) << one.endpoint;
    EXPECT_EQ(got.has_value(), one.is_sent) << one.endpoint;
    EXPECT_EQ(copied.has_value(), one.is_sent) << one.endpoint;
    EXPECT_EQ(url.has_value(), one.is_sent) << one.endpoint;
    if (one.is_sent) continue;
    EXPECT_EQ(got.error().code, Errc::invalid_argument);
    EXPECT_THAT(got.error().message, HasSubstr("https"));
    EXPECT_THAT(got.error().message, Not(HasSubstr(base64(bytes))));
    // What has no key goes anywhere.
    EXPECT_TRUE(client.get({.bucket = "bkt", .key = "k"}, sink).has_value());
  }
}

TEST(CustomerKey, IsSignedInAUrlAndNotPartOfIt) {
  Bed bed{[](const HttpRequest&, int) { return ok(); }};
  GetObjectRequest get{.bucket = "bkt", .key = "k"};
  put_customer_key(keys().object, get);
  const auto url = bed.client().presign<GetObject>(get, std::chrono::seconds{60}).value();
  EXPECT_THAT(url, HasSubstr("x-amz-server-side-encryption-customer-key-md5"));
  EXPECT_THAT(url, Not(HasSubstr(base64(bytes))));
  EXPECT_THAT(url, Not(HasSubstr(percent_encode(base64(bytes)))));
}

std::string hint_of(const HttpResponse& answer, bool with_key) {
  Bed bed{[&](const HttpRequest&, int) { return answer; }};
  HeadObjectRequest head{.bucket = "bkt", .key = "k"};
  GetObjectRequest get{.bucket = "bkt", .key = "k"};
  if (with_key) {
    put_customer_key(keys().object, head);
    put_customer_key(keys().object, get);
  }
  if (answer.body.empty()) return bed.client().call<HeadObject>(head).error().hint;
  TextSink sink;
  return bed.client().get(get, sink).error().hint;
}

HttpResponse says(int status, std::string code, std::string message) {
  return {.status = status,
          .body = write_rest_error({.code = std::move(code), .message = std::move(message)})};
}

TEST(CustomerKey, WhatARefusalMeansIsSaid) {
  const HttpResponse mute{.status = 400};
  EXPECT_THAT(hint_of(mute, false), HasSubstr("--sse-c-key fileb://FILE"));
  EXPECT_THAT(hint_of(mute, true), HasSubstr("leave --sse-c-key out"));
  EXPECT_THAT(hint_of({.status = 403}, true), HasSubstr("Is it the key"));
  EXPECT_THAT(hint_of({.status = 403}, false), Not(HasSubstr("key")));
  EXPECT_THAT(hint_of(says(400, "InvalidRequest",
                           "The object was stored using a form of Server Side Encryption. The "
                           "correct parameters must be provided to retrieve the object."),
                      false),
              HasSubstr("--sse-c-key fileb://FILE"));
  EXPECT_THAT(hint_of(says(400, "InvalidRequest",
                           "The encryption parameters are not applicable to this object."),
                      true),
              HasSubstr("leave --sse-c-key out"));
  EXPECT_THAT(hint_of(says(400, "InvalidArgument", "Something else"), false),
              Not(HasSubstr("sse-c")));
  EXPECT_THAT(hint_of(says(403, "AccessDenied", "Access Denied"), true),
              HasSubstr("Is it the key"));
}

TEST(CustomerKey, WhereBucketsTakeNoneItIsSaid) {
  Bed bed{[](const HttpRequest&, int) { return says(403, "AccessDenied", "Access Denied"); }};
  PutObjectRequest put{.bucket = "bkt", .key = "k"};
  put_customer_key(keys().object, put);
  TextSource body{"body"};
  EXPECT_THAT(bed.client().put(put, body).error().hint, HasSubstr("since April 2026"));
  CopyObjectRequest copy{.bucket = "bkt", .key = "k", .copy_source = "bkt/from"};
  put_copy_source_key(keys().object, copy);
  EXPECT_THAT(bed.client().call<CopyObject>(copy).error().hint, HasSubstr("Is it the key"));
}

}  // namespace
}  // namespace runctl::aws::s3
