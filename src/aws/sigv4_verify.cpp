#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "aws/sigv4.hpp"
#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

using std::chrono::seconds;

template <class T>
using Checked = std::expected<T, SignatureFailure>;

std::unexpected<SignatureFailure> refuse(SignatureFault fault, std::string detail) {
  return std::unexpected{SignatureFailure{.fault = fault, .detail = std::move(detail)}};
}

std::unexpected<SignatureFailure> malformed(std::string detail) {
  return refuse(SignatureFault::malformed, std::move(detail));
}

enum class Carrier : std::uint8_t { header, query };

// A signature as the request presents it, before anything of it is believed.
struct Presented {
  Carrier carrier = Carrier::header;
  std::string access_key_id;
  std::string credential_date;  // "20260131"
  Scope scope;
  std::string date;  // X-Amz-Date
  Timestamp signed_at;
  seconds expires{0};  // presigned only
  std::vector<std::string> signed_names;
  std::string signature;
  std::optional<std::string> token;
  std::string query;  // without the signature
};

// Errors of form: the credential is "ID/20260131/region/service/aws4_request".
Checked<void> read_credential(std::string_view text, Presented& out) {
  const auto parts = split(text, '/');
  if (parts.size() < 5) return malformed("the credential does not have five parts");
  const auto scope = std::span{parts}.last(4);
  const std::size_t id_size =
      text.size() - (scope[0].size() + scope[1].size() + scope[2].size() + scope[3].size() + 4);
  out.access_key_id = text.substr(0, id_size);
  out.credential_date = scope[0];
  out.scope = {.region = std::string{scope[1]}, .service = std::string{scope[2]}};
  if (out.access_key_id.empty() || scope[1].empty() || scope[2].empty()) {
    return malformed("the credential has an empty part");
  }
  if (scope[3] != "aws4_request") {
    return malformed("the credential does not end in 'aws4_request'");
  }
  return {};
}

Checked<void> read_signed_names(std::string_view text, Presented& out) {
  for (const std::string_view name : split(text, ';')) out.signed_names.emplace_back(name);
  const auto& names = out.signed_names;
  const bool lower_case = std::ranges::all_of(names, [](const auto& n) { return n == lower(n); });
  const bool sorted =
      std::ranges::adjacent_find(names, std::ranges::greater_equal{}) == names.end();
  if (!lower_case || !sorted || names.front().empty()) {
    return malformed("the signed headers are not a sorted list of lower-case names");
  }
  return {};
}

Checked<void> read_date(std::string_view text, Presented& out) {
  const auto time = parse_iso8601(text);
  // Only the basic form was agreed on, and only it begins with the eight digits of the scope's day.
  if (!time || iso8601_basic(*time) != text) {
    return malformed(fmt::format("not a date of the form 20260131T235959Z: '{}'", text));
  }
  out.date = text;
  out.signed_at = *time;
  return {};
}

// The value of `name` among "a=1&b=2"; `found` counts.
struct Parameter {
  int found = 0;
  std::string value;
};
Parameter parameter(std::string_view query, std::string_view name) {
  Parameter out;
  for (const std::string_view piece : split(query, '&')) {
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos || piece.substr(0, equals) != name) continue;
    ++out.found;
    out.value = percent_decode(piece.substr(equals + 1));
  }
  return out;
}

std::string without_parameter(std::string_view query, std::string_view name) {
  std::string out;
  std::string_view between;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.substr(0, piece.find('=')) == name) continue;
    out += between;
    out += piece;
    between = "&";
  }
  return out;
}

Checked<std::string> required_parameter(std::string_view query, std::string_view name) {
  Parameter found = parameter(query, name);
  if (found.found == 1) return std::move(found.value);
  return malformed(
      fmt::format("the parameter {} is {}", name, found.found ? "repeated" : "missing"));
}

Checked<void> read_expires(std::string_view text, Presented& out) {
  // Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
  // X-Amz-Expires.
  constexpr int week = 604'800;
  int count = 0;
  const auto [rest, error] = std::from_chars(text.begin(), text.end(), count);
  if (error != std::errc{} || rest != text.end() || count < 1 || count > week) {
    return malformed(fmt::format("X-Amz-Expires is not between 1 and {}: '{}'", week, text));
  }
  out.expires = seconds{count};
  return {};
}

Checked<Presented> read_query(std::string_view query) {
  Presented out;
  out.carrier = Carrier::query;
  out.query = without_parameter(query, "X-Amz-Signature");
  RUNCTL_TRY_LET(const std::string algorithm, required_parameter(query, "X-Amz-Algorithm"));
  if (algorithm != algorithm_v4) {
    return malformed(fmt::format("the algorithm is not {}: '{}'", algorithm_v4, algorithm));
  }
  RUNCTL_TRY_LET(const std::string credential, required_parameter(query, "X-Amz-Credential"));
  RUNCTL_TRY(read_credential(credential, out));
  RUNCTL_TRY_LET(const std::string date, required_parameter(query, "X-Amz-Date"));
  RUNCTL_TRY(read_date(date, out));
  RUNCTL_TRY_LET(const std::string expires, required_parameter(query, "X-Amz-Expires"));
  RUNCTL_TRY(read_expires(expires, out));
  RUNCTL_TRY_LET(const std::string names, required_parameter(query, "X-Amz-SignedHeaders"));
  RUNCTL_TRY(read_signed_names(names, out));
  RUNCTL_TRY_LET(out.signature, required_parameter(query, "X-Amz-Signature"));
  if (Parameter token = parameter(query, "X-Amz-Security-Token"); token.found > 0) {
    if (token.found > 1) return malformed("the parameter X-Amz-Security-Token is repeated");
    out.token = std::move(token.value);
  }
  return out;
}

struct AuthorizationParts {
  std::string_view credential, signed_headers, signature;
};

Checked<AuthorizationParts> split_authorization(std::string_view text) {
  const auto blank = text.find(' ');
  if (text.substr(0, blank) != algorithm_v4 || blank == std::string_view::npos) {
    return malformed(fmt::format("the authorization header does not begin with {}", algorithm_v4));
  }
  AuthorizationParts parts;
  for (const std::string_view piece : split(text.substr(blank + 1), ',')) {
    const std::string_view pair = trim(piece);
    const auto equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    std::string_view* part = name == "Credential"      ? &parts.credential
                             : name == "SignedHeaders" ? &parts.signed_headers
                             : name == "Signature"     ? &parts.signature
                                                       : nullptr;
    if (part == nullptr || equals == std::string_view::npos) {
      return malformed(fmt::format("the authorization header has an unknown part '{}'", name));
    }
    if (!part->empty()) {
      return malformed(fmt::format("the authorization header has two parts '{}'", name));
    }
    *part = pair.substr(equals + 1);
  }
  if (parts.credential.empty() || parts.signed_headers.empty() || parts.signature.empty()) {
    return malformed("the authorization header wants Credential, SignedHeaders and Signature");
  }
  return parts;
}

Checked<Presented> read_headers(const HttpRequest& request, std::string_view authorization,
                                std::string_view query) {
  Presented out;
  out.query = query;
  RUNCTL_TRY_LET(const AuthorizationParts parts, split_authorization(authorization));
  RUNCTL_TRY(read_credential(parts.credential, out));
  RUNCTL_TRY(read_signed_names(parts.signed_headers, out));
  out.signature = parts.signature;
  const auto date = header_value(request.headers, "x-amz-date");
  if (!date) return malformed("the header x-amz-date is missing");
  RUNCTL_TRY(read_date(*date, out));
  out.token = header_value(request.headers, "x-amz-security-token");
  return out;
}

Checked<Presented> read_signature(const HttpRequest& request, std::string_view query) {
  const auto authorization = header_value(request.headers, "authorization");
  const bool in_query = parameter(query, "X-Amz-Signature").found > 0 ||
                        parameter(query, "X-Amz-Algorithm").found > 0;
  if (authorization && in_query) {
    return malformed("the request has both an authorization header and signature parameters");
  }
  if (authorization) return read_headers(request, *authorization, query);
  if (in_query) return read_query(query);
  return refuse(SignatureFault::missing, "the request is not signed");
}

// What is not signed could be changed on the way; these headers decide what the request means.
Checked<void> check_coverage(const HttpRequest& request, const Presented& presented) {
  const auto is_signed = [&presented](std::string_view name) {
    return std::ranges::binary_search(presented.signed_names, name);
  };
  if (!is_signed("host")) return malformed("the header host is not signed");
  for (const HttpHeader& header : request.headers) {
    const std::string name = lower(header.name);
    if (name.starts_with("x-amz-") && !is_signed(name)) {
      return malformed(fmt::format("the header {} is not signed", name));
    }
  }
  for (const std::string& name : presented.signed_names) {
    if (!header_value(request.headers, name)) {
      return malformed(fmt::format("the signed header {} is not in the request", name));
    }
  }
  return {};
}

Checked<void> check_time(const Presented& presented, Timestamp now, seconds allowed_skew) {
  if (presented.credential_date != std::string_view{presented.date}.substr(0, 8)) {
    return refuse(SignatureFault::wrong_scope,
                  fmt::format("the credential is of {}, the request of {}",
                              presented.credential_date, presented.date));
  }
  const auto lifetime = presented.carrier == Carrier::query ? presented.expires : allowed_skew;
  if (now > presented.signed_at + lifetime) {
    return refuse(SignatureFault::expired,
                  fmt::format("signature expired: {} is now earlier than {}",
                              iso8601_basic(presented.signed_at + lifetime), iso8601_basic(now)));
  }
  if (presented.signed_at > now + allowed_skew) {
    return refuse(SignatureFault::not_yet_current,
                  fmt::format("signature not yet current: {} is still later than {}",
                              presented.date, iso8601_basic(now + allowed_skew)));
  }
  return {};
}

bool leaves_body_out(std::string_view payload, std::string_view service) {
  return service == "s3" &&
         (payload == unsigned_payload || payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
}

}  // namespace

std::expected<SignedHead, SignatureFailure> verify_v4_head(const HttpRequest& head, Timestamp now,
                                                           const SecretLookup& secret_of,
                                                           const VerifyOptions& options) {
  const UrlParts url = split_url(head.url);
  if (!url.path.empty() && !url.path.starts_with('/')) {
    return malformed("the request's target is not a path");
  }
  RUNCTL_TRY_LET(Presented presented, read_signature(head, url.query));
  RUNCTL_TRY(check_coverage(head, presented));
  const bool is_s3 = presented.scope.service == "s3";
  const auto declared = header_value(head.headers, "x-amz-content-sha256");
  const bool is_header = presented.carrier == Carrier::header;
  if (is_s3 && is_header && !declared) {
    return malformed("the header x-amz-content-sha256 is missing");
  }
  const std::string payload = declared ? *declared
                              : is_s3  ? std::string{unsigned_payload}
                                       : hex(std::string_view{sha256(head.body)});

  RUNCTL_TRY(check_time(presented, now, options.allowed_skew));
  const std::optional<Secret> secret = secret_of(presented.access_key_id);
  if (!secret) {
    return refuse(SignatureFault::unknown_key,
                  fmt::format("nobody has the access key id '{}'", presented.access_key_id));
  }
  const std::string expected = signature_v4({.method = head.method,
                                             .path = url.path,
                                             .query = presented.query,
                                             .headers = head.headers,
                                             .signed_names = presented.signed_names,
                                             .payload = payload},
                                            *secret, presented.scope, presented.date);
  if (!equal_in_constant_time(expected, presented.signature)) {
    return refuse(SignatureFault::wrong_signature,
                  "the signature is not the one that this request and this key's secret give");
  }
  SignedHead out{.identity = {.access_key_id = std::move(presented.access_key_id),
                              .scope = std::move(presented.scope)},
                 .payload = payload,
                 .date = std::move(presented.date),
                 .signature = std::move(presented.signature)};
  if (presented.token) out.identity.session_token = Secret{*std::move(presented.token)};
  return out;
}

std::expected<SignedIdentity, SignatureFailure> verify_v4(const HttpRequest& request, Timestamp now,
                                                          const SecretLookup& secret_of,
                                                          const VerifyOptions& options) {
  RUNCTL_TRY_LET(SignedHead head, verify_v4_head(request, now, secret_of, options));
  const bool left_out = leaves_body_out(head.payload, head.identity.scope.service);
  if (!left_out &&
      !equal_in_constant_time(head.payload, hex(std::string_view{sha256(request.body)}))) {
    return refuse(SignatureFault::wrong_body,
                  "the body is not the one that x-amz-content-sha256 names");
  }
  return std::move(head.identity);
}

}  // namespace runctl::aws
