// Forms for POST against those of botocore (tests/data/sigv4/generate_posts.py), and what a policy
// lets nobody do.
#include "aws/s3/post_policy.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/s3/test_bed.hpp"
#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws::s3 {
namespace {

using std::chrono::seconds;

const boost::json::value& vectors() {
  static const auto all = [] {
    const auto text = read_file(RUNCTL_SOURCE_DIR "/tests/data/sigv4/posts.json");
    return parse_json(text.value()).value();
  }();
  return all;
}

std::string text_at(const boost::json::value& value, std::string_view name) {
  return string_at(value, name).value();
}

Timestamp now_of_vectors() { return parse_iso8601(text_at(vectors(), "now")).value(); }

Credentials credentials_of(const boost::json::value& post) {
  Credentials credentials{.access_key_id = text_at(vectors(), "access_key_id"),
                          .secret_access_key = Secret{text_at(vectors(), "secret_access_key")}};
  if (const auto token = string_at(post, "token")) credentials.session_token = Secret{*token};
  return credentials;
}

std::vector<FormField> fields_of(const boost::json::value& post) {
  std::vector<FormField> fields;
  for (const auto& [name, value] : *object_at(post, "fields")) {
    fields.push_back({.name = std::string{name}, .value = std::string{value.as_string()}});
  }
  return fields;
}

PostPermit permit_of(const boost::json::value& post) {
  PostPermit permit{.bucket = text_at(post, "bucket"), .key_prefix = text_at(post, "prefix")};
  for (const auto& [name, value] : *object_at(post, "fixed")) {
    permit.fixed.push_back({.name = std::string{name}, .value = std::string{value.as_string()}});
  }
  for (const auto& name : *array_at(post, "free")) {
    permit.free_fields.emplace_back(name.as_string());
  }
  return permit;
}

Timestamp expiry_of(const boost::json::value& post) {
  return now_of_vectors() + seconds{integer_at(post, "seconds").value()};
}

std::optional<Secret> secret_of(std::string_view id) {
  if (id != "AKIDEXAMPLE") return std::nullopt;
  return Secret{text_at(vectors(), "secret_access_key")};
}

// Conditions in whatever order.
std::vector<std::string> conditions_of(const boost::json::value& document) {
  std::vector<std::string> conditions;
  for (const auto& condition : *array_at(document, "conditions")) {
    conditions.push_back(to_text(condition));
  }
  std::ranges::sort(conditions);
  return conditions;
}

TEST(PostPolicy, IsBotocoresForTheSamePermit) {
  const auto& posts = *array_at(vectors(), "posts");
  ASSERT_GE(posts.size(), 3U);
  for (const auto& post : posts) {
    const std::string ours =
        policy_document(permit_of(post), credentials_of(post), text_at(post, "region"),
                        now_of_vectors(), expiry_of(post));
    const auto read = parse_json(ours).value();
    const boost::json::value theirs(*object_at(post, "document"));
    EXPECT_EQ(text_at(read, "expiration"), text_at(theirs, "expiration"));
    EXPECT_EQ(conditions_of(read), conditions_of(theirs)) << text_at(post, "name");
  }
}

TEST(PostPolicy, BotocoresFormsAreGood) {
  for (const auto& post : *array_at(vectors(), "posts")) {
    const auto identity =
        verify_post(fields_of(post), text_at(post, "bucket"), now_of_vectors(), secret_of);
    ASSERT_TRUE(identity.has_value()) << text_at(post, "name") << identity.error().detail;
    EXPECT_EQ(identity->access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(identity->region, text_at(post, "region"));
    EXPECT_EQ(identity->length->most, largest_post);
  }
}

// A form of ours with a key, and what becomes of it when something of it is changed.
struct Form {
  PostPermit permit{.bucket = "bkt",
                    .key_prefix = "runs/r1/",
                    .fixed = {{.name = "x-amz-checksum-algorithm", .value = "SHA256"}},
                    .free_fields = {"x-amz-checksum-sha256"}};
  Timestamp now = now_of_vectors();
  Timestamp used = now;
  std::string bucket = "bkt";
  std::vector<FormField> fields = {};

  Form() {
    fields = sign_post(
        permit, {.access_key_id = "AKIDEXAMPLE", .secret_access_key = *secret_of("AKIDEXAMPLE")},
        "eu-west-1", now, now + seconds{60});
    fields.push_back({.name = "key", .value = "runs/r1/output/a"});
    fields.push_back({.name = "x-amz-checksum-sha256", .value = "abc"});
  }
  std::string& at(std::string_view name) {
    return std::ranges::find(fields, name, &FormField::name)->value;
  }
  void drop(std::string_view name) {
    std::erase_if(fields, [&](const FormField& field) { return field.name == name; });
  }
  [[nodiscard]] std::expected<PostIdentity, PostFailure> verify() const {
    return verify_post(fields, bucket, used, secret_of);
  }
  void sign(const std::string& document) {
    at("policy") = base64(document);
    Credentials credentials{.access_key_id = "AKIDEXAMPLE",
                            .secret_access_key = *secret_of("AKIDEXAMPLE")};
    at("x-amz-signature") = hex(std::string_view{
        hmac_sha256(signing_key_v4(credentials.secret_access_key,
                                   {.region = "eu-west-1", .service = "s3"}, iso8601_basic(now)),
                    at("policy"))});
  }
};

TEST(PostPolicy, LetsNothingElseBeDone) {
  ASSERT_TRUE(Form{}.verify().has_value());
  struct Case {
    std::string name;
    std::function<void(Form&)> change;
    PostFault fault;
    std::string detail;
  };
  const std::vector<Case> cases{
      {"another prefix", [](Form& f) { f.at("key") = "runs/r2/a"; }, PostFault::condition,
       R"(["starts-with","$key","runs/r1/"])"},
      {"another bucket", [](Form& f) { f.bucket = "other"; }, PostFault::condition,
       R"(["eq","$bucket","bkt"])"},
      {"another bucket in a field",
       [](Form& f) {
         f.bucket = "other";
         f.fields.push_back({.name = "bucket", .value = "bkt"});
       },
       PostFault::condition, R"(["eq","$bucket","bkt"])"},
      {"another algorithm", [](Form& f) { f.at("x-amz-checksum-algorithm") = "CRC32"; },
       PostFault::condition, R"(["eq","$x-amz-checksum-algorithm","SHA256"])"},
      {"a missing field", [](Form& f) { f.drop("x-amz-checksum-algorithm"); }, PostFault::condition,
       R"(["eq","$x-amz-checksum-algorithm","SHA256"])"},
      {"one more field",
       [](Form& f) { f.fields.push_back({.name = "acl", .value = "public-read"}); },
       PostFault::extra_field, "acl"},
      {"a second key",
       [](Form& f) { f.fields.push_back({.name = "x-amz-storage-class", .value = "GLACIER"}); },
       PostFault::extra_field, "x-amz-storage-class"},
      {"too late", [](Form& f) { f.used = f.now + seconds{60}; }, PostFault::expired, ""},
      {"another signature", [](Form& f) { f.at("x-amz-signature").back() ^= 1; },
       PostFault::wrong_signature, ""},
      {"another policy", [](Form& f) { f.at("policy") = base64("{}"); }, PostFault::wrong_signature,
       ""},
      {"another region",
       [](Form& f) { f.at("x-amz-credential") = "AKIDEXAMPLE/20260131/eu-west-2/s3/aws4_request"; },
       PostFault::wrong_signature, ""},
      {"another service",
       [](Form& f) {
         f.at("x-amz-credential") = "AKIDEXAMPLE/20260131/eu-west-1/ec2/aws4_request";
       },
       PostFault::malformed, "the credential and the date are not of one day"},
      {"another day", [](Form& f) { f.at("x-amz-date") = "20260201T000000Z"; },
       PostFault::malformed, "the credential and the date are not of one day"},
      {"nobody's key",
       [](Form& f) { f.at("x-amz-credential") = "A/B/20260131/eu-west-1/s3/aws4_request"; },
       PostFault::unknown_key, "A/B"},
      {"no policy", [](Form& f) { f.drop("policy"); }, PostFault::missing_field, "policy"},
      {"no key", [](Form& f) { f.drop("key"); }, PostFault::missing_field, "key"},
      {"no JSON", [](Form& f) { f.sign("{"); }, PostFault::bad_document, "Invalid JSON."},
      {"no expiration", [](Form& f) { f.sign(R"({"conditions":[]})"); }, PostFault::bad_document,
       "Policy missing expiration."},
      {"no conditions", [](Form& f) { f.sign(R"({"expiration":"2026-02-01T00:00:30Z"})"); },
       PostFault::bad_document, "Policy missing conditions."},
      {"a policy that speaks of nothing",
       [](Form& f) { f.sign(R"({"expiration":"2026-02-01T00:00:30Z","conditions":[]})"); },
       PostFault::extra_field, "x-amz-checksum-algorithm"},
      {"a range of no numbers",
       [](Form& f) {
         f.sign(
             R"({"expiration":"2026-02-01T00:00:30Z","conditions":[["content-length-range",-1,2]]})");
       },
       PostFault::bad_document,
       "Invalid content-length-range: it has a least and a greatest number."},
  };
  for (const Case& one : cases) {
    Form form;
    one.change(form);
    const auto identity = form.verify();
    ASSERT_FALSE(identity.has_value()) << one.name;
    EXPECT_EQ(identity.error().fault, one.fault) << one.name << ": " << identity.error().detail;
    EXPECT_EQ(identity.error().detail, one.detail) << one.name;
  }
}

TEST(PostPolicy, WhatIsToBeIgnoredIsNoExtraField) {
  Form form;
  form.fields.push_back({.name = "x-ignore-me", .value = "1"});
  EXPECT_TRUE(form.verify().has_value());
}

TEST(PostPolicy, AClientSignsForTheBucketsAddressAndNoLongerThanItsCredentials) {
  Bed bed{[](const HttpRequest&, int) { return ok(); }};
  auto client = bed.client();
  const PostPermit permit{.bucket = "bkt", .key_prefix = "p/"};
  const auto post = client.presign_post(permit, seconds{60}).value();
  EXPECT_EQ(post.url, "https://bkt.s3.us-east-1.amazonaws.com/");
  EXPECT_EQ(post.expires, bed.clock.now() + seconds{60});
  std::vector<FormField> fields = post.fields;
  fields.push_back({.name = "key", .value = "p/x"});
  const auto identity = verify_post(fields, "bkt", bed.clock.now(), [](std::string_view) {
    return std::optional{Secret{"secret"}};
  });
  ASSERT_TRUE(identity.has_value()) << identity.error().detail;
  EXPECT_EQ(identity->region, "us-east-1");
  for (const seconds life : {seconds{0}, seconds{604'801}}) {
    EXPECT_EQ(client.presign_post(permit, life).error().code, Errc::invalid_argument);
  }
  bed.config.credentials.expires = bed.clock.now() + seconds{30};
  EXPECT_EQ(bed.client().presign_post(permit, seconds{60}).value().expires,
            bed.clock.now() + seconds{30});
}

}  // namespace
}  // namespace runctl::aws::s3
