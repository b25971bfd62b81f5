#include "aws/s3/post_policy.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

namespace json = boost::json;
using Unexpected = std::unexpected<PostFailure>;

Unexpected refused(PostFault fault, std::string detail) {
  return Unexpected{PostFailure{.fault = fault, .detail = std::move(detail)}};
}

Scope scope_of(std::string_view region) { return {.region = std::string{region}, .service = "s3"}; }

// "2026-01-31T23:59:59Z", as botocore writes it.
std::string in_seconds(Timestamp time) {
  std::string text = iso8601(time);
  const auto fraction = text.rfind('.');
  return fraction == std::string::npos ? text : text.substr(0, fraction) + "Z";
}

std::string signature_of(std::string_view policy, const Secret& secret, std::string_view region,
                         std::string_view date) {
  const std::string key = signing_key_v4(secret, scope_of(region), date);
  return hex(std::string_view{hmac_sha256(key, policy)});
}

std::vector<FormField> signing_fields(const Credentials& credentials, std::string_view region,
                                      Timestamp now) {
  const std::string date = iso8601_basic(now);
  std::vector<FormField> fields{{.name = "x-amz-algorithm", .value = std::string{algorithm_v4}},
                                {.name = "x-amz-credential",
                                 .value = fmt::format("{}/{}", credentials.access_key_id,
                                                      credential_scope(scope_of(region), date))},
                                {.name = "x-amz-date", .value = date}};
  if (credentials.session_token) {
    fields.push_back({.name = "x-amz-security-token",
                      .value = std::string{credentials.session_token->reveal()}});
  }
  return fields;
}

// A condition on a field, or on the bucket.
struct Condition {
  bool is_prefix = false;
  std::string field = {};  // in lower case
  std::string value = {};
  [[nodiscard]] std::string text() const {
    return to_text(json::array{is_prefix ? "starts-with" : "eq", fmt::format("${}", field), value});
  }
};

struct Policy {
  Timestamp expires = {};
  std::vector<Condition> conditions = {};
  std::optional<LengthRange> length = {};
};

using Faultless = std::expected<void, PostFailure>;

Unexpected bad_document(std::string why) {
  return refused(PostFault::bad_document, std::move(why));
}

Faultless read_length(const json::array& list, Policy& policy) {
  const auto number = [](const json::value& value) -> std::optional<std::uint64_t> {
    if (value.is_uint64()) return value.get_uint64();
    if (value.is_int64() && value.get_int64() >= 0) {
      return static_cast<std::uint64_t>(value.get_int64());
    }
    return std::nullopt;
  };
  const auto least = list.size() == 3 ? number(list[1]) : std::nullopt;
  const auto most = list.size() == 3 ? number(list[2]) : std::nullopt;
  if (!least || !most) {
    return bad_document("Invalid content-length-range: it has a least and a greatest number.");
  }
  policy.length = LengthRange{.least = *least, .most = *most};
  return {};
}

// ["eq", "$acl", "private"], ["starts-with", "$key", "a/"] or ["content-length-range", 0, 10].
Faultless read_list(const json::array& list, Policy& policy) {
  const std::string_view what =
      !list.empty() && list[0].is_string() ? std::string_view{list[0].get_string()} : "";
  if (same_ignoring_case(what, "content-length-range")) return read_length(list, policy);
  const bool is_prefix = same_ignoring_case(what, "starts-with");
  if (!is_prefix && !same_ignoring_case(what, "eq")) {
    return bad_document("Invalid Condition: unknown operation.");
  }
  if (list.size() != 3 || !list[1].is_string() || !list[2].is_string() ||
      !std::string_view{list[1].get_string()}.starts_with('$')) {
    return bad_document("Invalid Condition: it has a field, with a $ before it, and a value.");
  }
  policy.conditions.push_back({.is_prefix = is_prefix,
                               .field = lower(std::string_view{list[1].get_string()}.substr(1)),
                               .value = std::string{list[2].get_string()}});
  return {};
}

Faultless read_condition(const json::value& value, Policy& policy) {
  if (const auto* list = value.if_array()) return read_list(*list, policy);
  const auto* object = value.if_object();
  if (object == nullptr || object->empty()) {
    return bad_document("Invalid Condition: it is neither an object nor a list.");
  }
  for (const auto& [name, expected] : *object) {
    if (!expected.is_string()) return bad_document("Invalid Simple-Condition: value is no text.");
    policy.conditions.push_back(
        {.field = lower(std::string_view{name}), .value = std::string{expected.get_string()}});
  }
  return {};
}

std::expected<Policy, PostFailure> read_policy(std::string_view encoded) {
  const auto text = base64_decode(encoded);
  const auto document = text ? parse_json(*text) : Result<json::value>{json::value{}};
  if (!text || !document || !document->is_object()) return bad_document("Invalid JSON.");
  Policy policy;
  const auto expires = parse_iso8601(string_at(*document, "expiration").value_or(""));
  if (!expires) return bad_document("Policy missing expiration.");
  policy.expires = *expires;
  const auto* conditions = array_at(*document, "conditions");
  if (conditions == nullptr) return bad_document("Policy missing conditions.");
  for (const json::value& condition : *conditions) {
    RUNCTL_TRY(read_condition(condition, policy));
  }
  return policy;
}

// What no condition has to speak of.
bool is_exempt(std::string_view name) {
  constexpr std::array<std::string_view, 5> names{"policy", "x-amz-signature", "signature",
                                                  "awsaccesskeyid", "file"};
  return name.starts_with("x-ignore-") || std::ranges::find(names, name) != names.end();
}

Faultless check_conditions(const Policy& policy, std::span<const FormField> fields,
                           std::string_view bucket) {
  std::vector<FormField> all{fields.begin(), fields.end()};
  std::erase_if(all, [](const FormField& field) { return field.name == "bucket"; });
  all.push_back({.name = "bucket", .value = std::string{bucket}});
  for (const Condition& condition : policy.conditions) {
    const std::string* value = find_field(all, condition.field);
    // A prefix of nothing is had by what is not there as well.
    const std::string_view actual = value == nullptr ? std::string_view{} : *value;
    const bool holds = condition.is_prefix ? actual.starts_with(condition.value)
                                           : value != nullptr && actual == condition.value;
    if (!holds) return refused(PostFault::condition, condition.text());
  }
  for (const FormField& field : all) {
    const bool is_spoken_of = std::ranges::any_of(
        policy.conditions, [&](const Condition& c) { return c.field == field.name; });
    if (!is_spoken_of && !is_exempt(field.name)) return refused(PostFault::extra_field, field.name);
  }
  return {};
}

struct Credential {
  std::string_view key_id;
  std::string_view day;
  std::string_view region;
};

// "KEY/20260131/eu-west-1/s3/aws4_request"; a key may hold slashes.
std::optional<Credential> read_credential(std::string_view text) {
  const auto parts = split(text, '/');
  const std::size_t count = parts.size();
  if (count < 5 || parts[count - 1] != "aws4_request" || parts[count - 2] != "s3") {
    return std::nullopt;
  }
  Credential out{.key_id = {}, .day = parts[count - 4], .region = parts[count - 3]};
  const auto rest =
      out.day.size() + out.region.size() + std::string_view{"///s3/aws4_request"}.size();
  out.key_id = text.substr(0, text.size() - rest);
  return out;
}

}  // namespace

const std::string* find_field(std::span<const FormField> fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &FormField::name);
  return found == fields.end() ? nullptr : &found->value;
}

std::string policy_document(const PostPermit& permit, const Credentials& credentials,
                            std::string_view region, Timestamp now, Timestamp expires) {
  json::array conditions;
  conditions.push_back(json::array{"content-length-range", 0, permit.largest});
  for (const FormField& field : permit.fixed) {
    conditions.push_back(json::object{{field.name, field.value}});
  }
  for (const std::string& name : permit.free_fields) {
    conditions.push_back(json::array{"starts-with", "$" + name, ""});
  }
  conditions.push_back(json::object{{"bucket", permit.bucket}});
  conditions.push_back(json::array{"starts-with", "$key", permit.key_prefix});
  for (const FormField& field : signing_fields(credentials, region, now)) {
    conditions.push_back(json::object{{field.name, field.value}});
  }
  return to_text(
      json::object{{"expiration", in_seconds(expires)}, {"conditions", std::move(conditions)}});
}

std::vector<FormField> sign_post(const PostPermit& permit, const Credentials& credentials,
                                 std::string_view region, Timestamp now, Timestamp expires) {
  std::vector<FormField> fields = permit.fixed;
  std::ranges::move(signing_fields(credentials, region, now), std::back_inserter(fields));
  std::string policy = base64(policy_document(permit, credentials, region, now, expires));
  std::string signature =
      signature_of(policy, credentials.secret_access_key, region, iso8601_basic(now));
  fields.push_back({.name = "policy", .value = std::move(policy)});
  fields.push_back({.name = "x-amz-signature", .value = std::move(signature)});
  return fields;
}

std::expected<PostIdentity, PostFailure> verify_post(std::span<const FormField> fields,
                                                     std::string_view bucket, Timestamp now,
                                                     const SecretLookup& secret_of) {
  constexpr std::array<std::string_view, 6> needed{
      "key", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"};
  for (const std::string_view name : needed) {
    if (find_field(fields, name) == nullptr) {
      return refused(PostFault::missing_field, std::string{name});
    }
  }
  const auto value = [&](std::string_view name) {
    return std::string_view{*find_field(fields, name)};
  };
  if (value("x-amz-algorithm") != algorithm_v4) {
    return refused(PostFault::malformed, fmt::format("the algorithm is not {}", algorithm_v4));
  }
  const auto credential = read_credential(value("x-amz-credential"));
  const std::string_view date = value("x-amz-date");
  const auto signed_at = parse_iso8601(date);
  if (!credential || !signed_at || iso8601_basic(*signed_at) != date ||
      !date.starts_with(credential->day)) {
    return refused(PostFault::malformed, "the credential and the date are not of one day");
  }
  const auto secret = secret_of(credential->key_id);
  if (!secret) return refused(PostFault::unknown_key, std::string{credential->key_id});
  const std::string wanted = signature_of(value("policy"), *secret, credential->region, date);
  if (!equal_in_constant_time(wanted, value("x-amz-signature"))) {
    return refused(PostFault::wrong_signature, {});
  }
  RUNCTL_TRY_LET(const Policy policy, read_policy(value("policy")));
  if (policy.expires <= now) return refused(PostFault::expired, {});
  RUNCTL_TRY(check_conditions(policy, fields, bucket));
  return PostIdentity{.access_key_id = std::string{credential->key_id},
                      .region = std::string{credential->region},
                      .length = policy.length};
}

}  // namespace runctl::aws::s3
