// Signatures against those of botocore (tests/data/sigv4/generate.py), and the refusal of
// everything else.
#include "aws/sigv4.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

struct Vector {
  std::string name = {};
  Scope scope = {};
  HttpRequest request = {};
  std::optional<std::string> token = {};
  std::optional<std::chrono::seconds> expires = {};
  Timestamp time = {};
  std::string canonical_request = {};
  std::string authorization = {};
  std::string signed_url = {};
};

Vector read_vector(const boost::json::value& json) {
  Vector out;
  out.name = string_at(json, "name").value();
  out.scope = {.region = string_at(json, "region").value(),
               .service = string_at(json, "service").value()};
  out.request = {.method = string_at(json, "method").value(),
                 .url = string_at(json, "url").value(),
                 .headers = {},
                 .body = percent_decode(string_at(json, "body").value())};
  for (const auto& pair : *array_at(json, "headers")) {
    out.request.headers.push_back({.name = std::string{pair.as_array().at(0).as_string()},
                                   .value = std::string{pair.as_array().at(1).as_string()}});
  }
  out.token = string_at(json, "token");
  if (const auto expires = integer_at(json, "expires"))
    out.expires = std::chrono::seconds{*expires};
  out.time = parse_iso8601(string_at(json, "time").value()).value();
  out.canonical_request = string_at(json, "canonical_request").value();
  out.authorization = string_at(json, "authorization").value_or("");
  out.signed_url = string_at(json, "signed_url").value_or("");
  return out;
}

constexpr std::string_view key_id = "AKIDEXAMPLE";
constexpr std::string_view key_secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = [] {
    const auto text = read_file(RUNCTL_SOURCE_DIR "/tests/data/sigv4/vectors.json");
    const auto json = parse_json(text.value());
    std::vector<Vector> out;
    for (const auto& vector : *array_at(json.value(), "vectors"))
      out.push_back(read_vector(vector));
    return out;
  }();
  return all;
}

Credentials credentials_of(const Vector& vector) {
  Credentials out{.access_key_id = std::string{key_id},
                  .secret_access_key = Secret{std::string{key_secret}}};
  if (vector.token) out.session_token = Secret{*vector.token};
  return out;
}

HttpRequest signed_by_us(const Vector& vector) {
  const Credentials credentials = credentials_of(vector);
  return vector.expires
             ? presign_v4(vector.request, credentials, vector.scope, vector.time, *vector.expires)
             : sign_v4(vector.request, credentials, vector.scope, vector.time);
}

std::optional<Secret> lookup(std::string_view id) {
  if (id != key_id) return std::nullopt;
  return Secret{std::string{key_secret}};
}

// As it arrives: a target instead of a URL, and the host in a header.
HttpRequest received(HttpRequest request) {
  const UrlParts url = split_url(request.url);
  if (!header_value(request.headers, "host")) {
    request.headers.push_back({.name = "host", .value = host_header(url)});
  }
  std::string target = url.path.empty() ? "/" : std::string{url.path};
  if (!url.query.empty()) target += '?' + std::string{url.query};
  request.url = target;
  return request;
}

std::string fault_name(const std::expected<SignedIdentity, SignatureFailure>& result) {
  if (result) return "accepted";
  switch (result.error().fault) {
    case SignatureFault::missing:
      return "missing";
    case SignatureFault::malformed:
      return "malformed";
    case SignatureFault::unknown_key:
      return "unknown_key";
    case SignatureFault::wrong_scope:
      return "wrong_scope";
    case SignatureFault::expired:
      return "expired";
    case SignatureFault::not_yet_current:
      return "not_yet_current";
    case SignatureFault::wrong_signature:
      return "wrong_signature";
    case SignatureFault::wrong_body:
      return "wrong_body";
  }
  std::unreachable();
}

std::string verdict(const HttpRequest& request, Timestamp now) {
  return fault_name(verify_v4(request, now, lookup));
}

HttpHeader& header(HttpRequest& request, std::string_view name) {
  return *std::ranges::find(request.headers, name, &HttpHeader::name);
}

void replace(std::string& text, std::string_view old, std::string_view with) {
  const auto at = text.find(old);
  ASSERT_NE(at, std::string::npos) << old;
  text.replace(at, old.size(), with);
}

// An ordinary request, signed at `now`, that the refusal tests spoil.
const Timestamp now = parse_iso8601("20260131T120000Z").value();

HttpRequest ordinary(std::optional<std::string> token = {}, std::string service = "ec2") {
  Vector vector;
  vector.scope = {.region = "eu-west-1", .service = std::move(service)};
  vector.token = std::move(token);
  vector.time = now;
  vector.request = {.method = "POST",
                    .url = "http://127.0.0.1:4566/",
                    .headers = {{.name = "content-type", .value = "text/plain"}},
                    .body = "Action=DescribeVolumes"};
  return received(signed_by_us(vector));
}

HttpRequest presigned(std::chrono::seconds expires) {
  Vector vector;
  vector.scope = {.region = "eu-west-1", .service = "sts"};
  vector.time = now;
  vector.expires = expires;
  vector.request = {.url = "http://127.0.0.1:4566/?Action=GetCallerIdentity"};
  return received(signed_by_us(vector));
}

TEST(Sigv4Test, HasVectorsOfEveryKind) {
  const auto count = [](auto predicate) { return std::ranges::count_if(vectors(), predicate); };
  EXPECT_GE(vectors().size(), 60U);
  EXPECT_GE(count([](const Vector& v) { return v.scope.service == "s3"; }), 10);
  EXPECT_GE(count([](const Vector& v) { return v.expires.has_value(); }), 5);
  EXPECT_GE(count([](const Vector& v) { return v.token.has_value(); }), 5);
}

TEST(Sigv4Test, SignsAsBotocoreDoes) {
  for (const Vector& vector : vectors()) {
    if (vector.expires) continue;
    HttpRequest request = signed_by_us(vector);
    EXPECT_EQ(header(request, "authorization").value, vector.authorization)
        << vector.name << "\nexpected canonical request:\n"
        << vector.canonical_request;
  }
}

TEST(Sigv4Test, PresignsAsBotocoreDoes) {
  for (const Vector& vector : vectors()) {
    if (!vector.expires) continue;
    EXPECT_EQ(signed_by_us(vector).url, vector.signed_url)
        << vector.name << "\nexpected canonical request:\n"
        << vector.canonical_request;
  }
}

TEST(Sigv4Test, SigningAgainReplacesTheOldSignature) {
  for (const Vector& vector : vectors()) {
    if (vector.expires) continue;
    const HttpRequest once = signed_by_us(vector);
    const auto later = vector.time + std::chrono::hours{30};
    HttpRequest again = sign_v4(once, credentials_of(vector), vector.scope, later);
    EXPECT_EQ(verdict(received(again), later), "accepted") << vector.name;
    EXPECT_EQ(again.headers.size(), once.headers.size()) << vector.name;
  }
}

TEST(Sigv4Test, AcceptsWhatBotocoreSigned) {
  for (const Vector& vector : vectors()) {
    HttpRequest request = signed_by_us(vector);
    if (vector.expires) {
      request.url = vector.signed_url;
    } else {
      header(request, "authorization").value = vector.authorization;
    }
    const auto identity = verify_v4(received(request), vector.time, lookup);
    ASSERT_EQ(fault_name(identity), "accepted") << vector.name;
    EXPECT_EQ(identity->access_key_id, key_id);
    EXPECT_EQ(identity->scope.region, vector.scope.region);
    EXPECT_EQ(identity->scope.service, vector.scope.service);
    ASSERT_EQ(identity->session_token.has_value(), vector.token.has_value());
    if (vector.token) {
      EXPECT_EQ(identity->session_token->reveal(), *vector.token);
    }
  }
}

TEST(Sigv4Test, LeavesTheBodyOutWhereTheCallerSaysSo) {
  HttpRequest request{.method = "PUT",
                      .url = "http://localhost:9000/bucket/key",
                      .headers = {{.name = "x-amz-content-sha256", .value = "UNSIGNED-PAYLOAD"}},
                      .body = "one"};
  const Vector vector{.scope = {.region = "r", .service = "s3"}};
  HttpRequest arrived = received(sign_v4(request, credentials_of(vector), vector.scope, now));
  arrived.body = "another";
  EXPECT_EQ(verdict(arrived, now), "accepted");

  const Scope ec2{.region = "r", .service = "ec2"};
  EXPECT_EQ(verdict(received(sign_v4(request, credentials_of(vector), ec2, now)), now),
            "wrong_body");
}

TEST(Sigv4Test, RefusesARequestWithoutSignature) {
  HttpRequest request = ordinary();
  std::erase_if(request.headers, [](const HttpHeader& h) { return h.name == "authorization"; });
  EXPECT_EQ(verdict(request, now), "missing");
}

TEST(Sigv4Test, RefusesAnUnknownKey) {
  HttpRequest request = ordinary();
  replace(header(request, "authorization").value, key_id, "AKIDANOTHER");
  EXPECT_EQ(verdict(request, now), "unknown_key");
}

TEST(Sigv4Test, RefusesASignatureMadeWithAnotherSecret) {
  const auto other = [](std::string_view) { return std::optional{Secret{"another"}}; };
  EXPECT_EQ(fault_name(verify_v4(ordinary(), now, other)), "wrong_signature");
}

TEST(Sigv4Test, RefusesACredentialOfAnotherDay) {
  HttpRequest request = ordinary();
  replace(header(request, "authorization").value, "/20260131/", "/20260130/");
  EXPECT_EQ(verdict(request, now), "wrong_scope");
}

TEST(Sigv4Test, AllowsFifteenMinutesOfSkewAndNoMore) {
  const std::chrono::seconds skew{900};
  const std::chrono::seconds second{1};
  const HttpRequest request = ordinary();
  EXPECT_EQ(verdict(request, now + skew), "accepted");
  EXPECT_EQ(verdict(request, now + skew + second), "expired");
  EXPECT_EQ(verdict(request, now - skew), "accepted");
  EXPECT_EQ(verdict(request, now - skew - second), "not_yet_current");
  EXPECT_EQ(fault_name(verify_v4(request, now + second, lookup, {.allowed_skew = {}})), "expired");
}

TEST(Sigv4Test, APresignedUrlEndsWhenItSays) {
  const std::chrono::seconds second{1};
  const HttpRequest request = presigned(std::chrono::hours{2});
  EXPECT_EQ(verdict(request, now + std::chrono::hours{2}), "accepted");
  EXPECT_EQ(verdict(request, now + std::chrono::hours{2} + second), "expired");
  EXPECT_EQ(verdict(request, now - std::chrono::minutes{16}), "not_yet_current");
  EXPECT_EQ(verdict(presigned(std::chrono::hours{24 * 7}), now), "accepted");
  EXPECT_EQ(verdict(presigned(std::chrono::hours{24 * 7} + second), now), "malformed");
  EXPECT_EQ(verdict(presigned(std::chrono::seconds{0}), now), "malformed");
}

TEST(Sigv4Test, RefusesABodyThatIsNotTheOneDeclared) {
  HttpRequest request = ordinary({}, "s3");
  EXPECT_EQ(verdict(request, now), "accepted");
  request.body += 'x';
  EXPECT_EQ(verdict(request, now), "wrong_body");
}

// The signature itself is right: only the header that S3 wants is not there.
TEST(Sigv4Test, RefusesS3WithoutADeclaredBody) {
  const Scope scope{.region = "eu-west-1", .service = "s3"};
  HttpRequest request{.url = "/key",
                      .headers = {{.name = "host", .value = "h"},
                                  {.name = "x-amz-date", .value = iso8601_basic(now)}}};
  const std::vector<std::string> names{"host", "x-amz-date"};
  const std::string signature =
      signature_v4({.method = request.method,
                    .path = request.url,
                    .query = {},
                    .headers = request.headers,
                    .signed_names = names,
                    .payload = hex(std::string_view{sha256("")})},
                   Secret{std::string{key_secret}}, scope, iso8601_basic(now));
  request.headers.push_back(
      {.name = "authorization",
       .value = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260131/eu-west-1/s3/aws4_request, "
                "SignedHeaders=host;x-amz-date, Signature=" +
                signature});
  EXPECT_EQ(verdict(request, now), "malformed");
}

TEST(Sigv4Test, RefusesHeadersOfAwsThatAreNotSigned) {
  HttpRequest request = ordinary();
  request.headers.push_back({.name = "X-Amz-Target", .value = "AmazonSSM.SendCommand"});
  EXPECT_EQ(verdict(request, now), "malformed");
  request.headers.back().name = "x-other";
  EXPECT_EQ(verdict(request, now), "accepted");
}

TEST(Sigv4Test, RefusesASignatureThatDoesNotCoverTheHost) {
  HttpRequest request = ordinary();
  replace(header(request, "authorization").value, "host;", "");
  EXPECT_EQ(verdict(request, now), "malformed");
}

TEST(Sigv4Test, RefusesTwoSignaturesInOneRequest) {
  HttpRequest request = presigned(std::chrono::hours{1});
  HttpRequest both = ordinary();
  request.headers.push_back(header(both, "authorization"));
  EXPECT_EQ(verdict(request, now), "malformed");
}

TEST(Sigv4Test, RefusesAuthorizationHeadersOfAnotherForm) {
  const std::string good =
      header(*std::make_unique<HttpRequest>(ordinary()), "authorization").value;
  struct Case {
    std::string_view old, with;
  };
  const std::vector<Case> cases{
      {"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA512 "},
      {"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"},
      {"Credential=", "credential="},
      {"Credential=AKIDEXAMPLE/", "Credential="},
      {"Credential=AKIDEXAMPLE/", "Credential=/"},
      {"/aws4_request", "/aws3_request"},
      {"/eu-west-1/", "//"},
      {"SignedHeaders=content-type;host", "SignedHeaders=host;content-type"},
      {"SignedHeaders=content-type;host", "SignedHeaders=content-type;host;host"},
      {"SignedHeaders=content-type;host", "SignedHeaders=Content-Type;host"},
      {"SignedHeaders=content-type;host", "SignedHeaders=;content-type;host"},
      {"SignedHeaders=content-type;host", "SignedHeaders=absent;content-type;host"},
      {"Signature=", "Signatur="},
      {", Signature=", ", Signature=0, Signature="},
      {", SignedHeaders=", ", Extra=1, SignedHeaders="},
  };
  for (const Case& c : cases) {
    HttpRequest request = ordinary();
    std::string& value = header(request, "authorization").value;
    ASSERT_EQ(value, good);
    replace(value, c.old, c.with);
    EXPECT_EQ(verdict(request, now), "malformed") << value;
  }
  for (const std::string_view whole :
       {"", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256", "AWS key:sig"}) {
    HttpRequest request = ordinary();
    header(request, "authorization").value = whole;
    EXPECT_EQ(verdict(request, now), "malformed") << whole;
  }
}

TEST(Sigv4Test, RefusesDatesOfAnotherForm) {
  for (const std::string_view date : {"", "2026-01-31T12:00:00Z", "20260131T120000",
                                      "20260231T120000Z", "20260131T120000Z,20260131T120000Z"}) {
    HttpRequest request = ordinary();
    header(request, "x-amz-date").value = date;
    EXPECT_EQ(verdict(request, now), "malformed") << date;
  }
}

TEST(Sigv4Test, RefusesPresignedUrlsThatWantOrRepeatAParameter) {
  for (const std::string_view name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
                                      "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    HttpRequest wanting = presigned(std::chrono::hours{1});
    replace(wanting.url, name, "X-Other");
    EXPECT_EQ(verdict(wanting, now), "malformed") << name;
    HttpRequest repeating = presigned(std::chrono::hours{1});
    repeating.url += '&' + std::string{name} + "=x";
    EXPECT_EQ(verdict(repeating, now), "malformed") << name;
  }
}

// A letter or digit that is not the one there; it cannot end a component or mean nothing.
void spoil(std::string& text, std::size_t at) {
  const char old = text[at];
  text[at] =
      *rc::gen::suchThat(rc::gen::oneOf(rc::gen::inRange('a', 'z'), rc::gen::inRange('A', 'Z'),
                                        rc::gen::inRange('0', '9')),
                         [old](char c) { return c != old; });
}

std::size_t any_place(std::size_t begin, std::size_t end) { return *rc::gen::inRange(begin, end); }

// What a signature does not cover: headers that change on the way, path segments that normalisation
// drops.
bool is_covered(const HttpHeader& header) {
  return header.name != "user-agent" && header.name != "expect" && header.name != "connection" &&
         header.name != "x-amzn-trace-id" && !header.value.empty();
}

enum class Part { method, path, query, header, body, date, token, signature };

// The parts of this request that can be spoilt.
std::vector<Part> parts_of(const Vector& vector, const HttpRequest& request) {
  const UrlParts url = split_url(request.url);
  std::vector<Part> parts{Part::method, Part::header, Part::signature, Part::date};
  // Where ".." drops a segment, spoiling that segment changes nothing.
  if (vector.scope.service == "s3" || !url.path.contains("..")) parts.push_back(Part::path);
  if (!url.query.empty()) parts.push_back(Part::query);
  if (!request.body.empty() && !vector.expires) parts.push_back(Part::body);
  if (vector.token) parts.push_back(Part::token);
  return parts;
}

void spoil_parameter(HttpRequest& request, std::string_view name) {
  const auto begin = request.url.find(std::string{name} + '=') + name.size() + 1;
  spoil(request.url, any_place(begin, std::min(request.url.find('&', begin), request.url.size())));
}

void spoil_value(HttpRequest& request, std::string_view name) {
  std::string& value = header(request, name).value;
  spoil(value, any_place(0, value.size()));
}

void spoil_part(HttpRequest& request, Part part, const Vector& vector) {
  const std::size_t path_size = split_url(request.url).path.size();
  switch (part) {
    case Part::method:
      return spoil(request.method, any_place(0, request.method.size()));
    case Part::path:
      return spoil(request.url, any_place(0, path_size));
    case Part::query:
      return spoil(request.url, any_place(path_size + 1, request.url.size()));
    case Part::body:
      return spoil(request.body, any_place(0, request.body.size()));
    case Part::header: {
      std::vector<HttpHeader*> covered;
      for (HttpHeader& h : request.headers) {
        if (is_covered(h) && h.name != "authorization") covered.push_back(&h);
      }
      std::string& value = covered[any_place(0, covered.size())]->value;
      return spoil(value, any_place(0, value.size()));
    }
    case Part::date:
      return vector.expires ? spoil_parameter(request, "X-Amz-Date")
                            : spoil_value(request, "x-amz-date");
    case Part::token:
      return vector.expires ? spoil_parameter(request, "X-Amz-Security-Token")
                            : spoil_value(request, "x-amz-security-token");
    case Part::signature:
      if (vector.expires) return spoil_parameter(request, "X-Amz-Signature");
      std::string& value = header(request, "authorization").value;
      return spoil(value, any_place(value.find("Signature=") + 10, value.size()));
  }
}

RC_GTEST_PROP(Sigv4PropertyTest, RefusesARequestWithOneByteChanged, ()) {
  const Vector& vector = vectors()[any_place(0, vectors().size())];
  HttpRequest request = received(signed_by_us(vector));
  RC_ASSERT(verdict(request, vector.time) == "accepted");
  const auto parts = parts_of(vector, request);
  const Part part = parts[any_place(0, parts.size())];
  spoil_part(request, part, vector);
  RC_LOG() << vector.name << ", part " << static_cast<int>(part) << ", " << request.url << '\n';
  RC_ASSERT(verdict(request, vector.time) != "accepted");
}

// Every byte of every vector's every part, without chance: a part that is not looked at shows here.
TEST(Sigv4Test, RefusesEachVectorWithAnyPartChanged) {
  for (const Vector& vector : vectors()) {
    const HttpRequest good = received(signed_by_us(vector));
    const auto refused = [&](const HttpRequest& request, std::string_view what) {
      EXPECT_NE(verdict(request, vector.time), "accepted") << vector.name << ": " << what;
    };
    HttpRequest request = good;
    request.method += 'X';
    refused(request, "method");
    request = good;
    const auto path_end = std::min(request.url.find('?'), request.url.size());
    request.url.insert(path_end, "/x");
    refused(request, "path");
    request = good;
    request.url += request.url.contains('?') ? "&x=y" : "?x=y";
    refused(request, "query");
    request = good;
    header(request, "host").value += 'x';
    refused(request, "host");
    request = good;
    request.body += 'x';
    if (!(vector.expires && vector.scope.service == "s3")) refused(request, "body");
    request = good;
    refused(request.headers.size() > 1 ? (request.headers.erase(request.headers.begin()), request)
                                       : HttpRequest{},
            "a header less");
    EXPECT_NE(verdict(good, vector.time + std::chrono::hours{24 * 8}), "accepted") << vector.name;
  }
}

RC_GTEST_PROP(Sigv4PropertyTest, AcceptsWhatItSignsAndNeverThrowsOnAnythingElse,
              (const std::string& body, const std::string& value, const std::string& query)) {
  const Vector vector{.scope = {.region = "r", .service = "ec2"}};
  const HttpRequest request{.method = "POST",
                            .url = "http://localhost:1/a?" + percent_encode(query, "&="),
                            .headers = {{.name = "x-value", .value = value}},
                            .body = body};
  HttpRequest signed_request =
      received(sign_v4(request, credentials_of(vector), vector.scope, now));
  RC_ASSERT(verdict(signed_request, now) == "accepted");

  signed_request.url = query;
  static_cast<void>(verdict(signed_request, now));
  header(signed_request, "authorization").value = "AWS4-HMAC-SHA256 " + value;
  RC_ASSERT(verdict(signed_request, now) != "accepted");
}

}  // namespace
}  // namespace runctl::aws
