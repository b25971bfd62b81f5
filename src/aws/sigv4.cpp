#include "aws/sigv4.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

// Proxies and HTTP clients add, change or drop these on the way.
// Source: botocore 1.43 auth.py, SIGNED_HEADERS_BLACKLIST.
constexpr std::array<std::string_view, 12> unsigned_headers{"authorization",
                                                            "connection",
                                                            "expect",
                                                            "keep-alive",
                                                            "proxy-authenticate",
                                                            "proxy-authorization",
                                                            "te",
                                                            "trailer",
                                                            "transfer-encoding",
                                                            "upgrade",
                                                            "user-agent",
                                                            "x-amzn-trace-id"};

void remove_header(std::vector<HttpHeader>& headers, std::string_view name) {
  std::erase_if(headers, [name](const HttpHeader& header) { return header.name == name; });
}

void set_header(std::vector<HttpHeader>& headers, std::string_view name, std::string value) {
  remove_header(headers, name);
  headers.push_back({.name = std::string{name}, .value = std::move(value)});
}

std::vector<HttpHeader> with_lower_case_names(std::vector<HttpHeader> headers) {
  for (HttpHeader& header : headers) header.name = lower(header.name);
  return headers;
}

// Sorted, each once.
std::vector<std::string> names_to_sign(const std::vector<HttpHeader>& headers) {
  std::vector<std::string> names{"host"};
  for (const HttpHeader& header : headers) {
    if (std::ranges::find(unsigned_headers, header.name) == unsigned_headers.end()) {
      names.push_back(header.name);
    }
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

}  // namespace

HttpRequest sign_v4(HttpRequest request, const Credentials& credentials, const Scope& scope,
                    Timestamp now) {
  return sign_v4(std::move(request), credentials, scope, now,
                 signing_key_v4(credentials.secret_access_key, scope, iso8601_basic(now)));
}

HttpRequest sign_v4(HttpRequest request, const Credentials& credentials, const Scope& scope,
                    Timestamp now, std::string_view key) {
  HttpRequest out = std::move(request);
  out.headers = with_lower_case_names(std::move(out.headers));
  const UrlParts url = split_url(out.url);
  if (!header_value(out.headers, "host")) {
    out.headers.push_back({.name = "host", .value = host_header(url)});
  }
  const std::string date = iso8601_basic(now);
  remove_header(out.headers, "authorization");
  set_header(out.headers, "x-amz-date", date);
  if (credentials.session_token) {
    set_header(out.headers, "x-amz-security-token",
               std::string{credentials.session_token->reveal()});
  }
  std::string payload = header_value(out.headers, "x-amz-content-sha256")
                            .value_or(hex(std::string_view{sha256(out.body)}));
  if (scope.service == "s3") set_header(out.headers, "x-amz-content-sha256", payload);

  const std::vector<std::string> names = names_to_sign(out.headers);
  const std::string signature = signature_v4({.method = out.method,
                                              .path = url.path,
                                              .query = url.query,
                                              .headers = out.headers,
                                              .signed_names = names,
                                              .payload = payload},
                                             key, scope, date);
  out.headers.push_back(
      {.name = "authorization",
       .value = fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm_v4,
                            credentials.access_key_id, credential_scope(scope, date),
                            join(names, ";"), signature)});
  return out;
}

HttpRequest presign_v4(const HttpRequest& request, const Credentials& credentials,
                       const Scope& scope, Timestamp now, std::chrono::seconds expires) {
  HttpRequest out = request;
  out.headers = with_lower_case_names(std::move(out.headers));
  remove_header(out.headers, "authorization");
  const UrlParts url = split_url(out.url);
  auto headers = out.headers;
  if (!header_value(headers, "host")) {
    headers.push_back({.name = "host", .value = host_header(url)});
  }
  const std::vector<std::string> names = names_to_sign(headers);
  const std::string date = iso8601_basic(now);
  std::string query{url.query};
  const auto add = [&query](std::string_view name, std::string_view value) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, percent_encode(value));
  };
  add("X-Amz-Algorithm", algorithm_v4);
  add("X-Amz-Credential",
      fmt::format("{}/{}", credentials.access_key_id, credential_scope(scope, date)));
  add("X-Amz-Date", date);
  add("X-Amz-Expires", std::to_string(expires.count()));
  add("X-Amz-SignedHeaders", join(names, ";"));
  if (credentials.session_token) add("X-Amz-Security-Token", credentials.session_token->reveal());

  const std::string payload =
      header_value(headers, "x-amz-content-sha256")
          .value_or(scope.service == "s3" ? std::string{unsigned_payload}
                                          : hex(std::string_view{sha256(out.body)}));
  const std::string signature = signature_v4({.method = out.method,
                                              .path = url.path,
                                              .query = query,
                                              .headers = headers,
                                              .signed_names = names,
                                              .payload = payload},
                                             credentials.secret_access_key, scope, date);
  out.url = fmt::format("{}{}?{}&X-Amz-Signature={}", url.base, url.path, query, signature);
  return out;
}

}  // namespace runctl::aws
