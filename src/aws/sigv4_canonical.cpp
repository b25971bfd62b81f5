#include "aws/sigv4_canonical.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

// Without blanks at the ends, each run of them inside as one space.
std::string folded(std::string_view value) {
  std::string out;
  while (true) {
    const auto first = value.find_first_not_of(blanks);
    if (first == std::string_view::npos) return out;
    value.remove_prefix(first);
    const auto end = std::min(value.find_first_of(blanks), value.size());
    if (!out.empty()) out += ' ';
    out += value.substr(0, end);
    value.remove_prefix(end);
  }
}

// RFC 3986 section 5.2.4; AWS removes empty segments as well.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out = path.starts_with('/') ? "/" : "";
  out += fmt::format("{}", fmt::join(kept, "/"));
  if (path.ends_with('/') && !kept.empty()) out += '/';
  return out;
}

}  // namespace

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  url = url.substr(0, url.find('#'));
  std::string_view rest = url;
  const auto scheme_end = url.find("://");
  if (!url.starts_with('/') && scheme_end != std::string_view::npos) {
    parts.scheme = url.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    parts.authority = rest.substr(0, end);
    rest.remove_prefix(end);
    parts.base = url.substr(0, url.size() - rest.size());
  }
  const auto question = rest.find('?');
  parts.path = rest.substr(0, question);
  if (question != std::string_view::npos) parts.query = rest.substr(question + 1);
  return parts;
}

std::string host_header(const UrlParts& url) {
  std::string host = lower(url.authority.substr(url.authority.rfind('@') + 1));
  const std::string scheme = lower(url.scheme);
  const std::string_view own_port = scheme == "https" ? ":443" : scheme == "http" ? ":80" : "";
  if (host.ends_with(own_port)) host.erase(host.size() - own_port.size());
  return host;
}

std::optional<std::string> header_value(std::span<const HttpHeader> headers,
                                        std::string_view name) {
  std::optional<std::string> found;
  for (const HttpHeader& header : headers) {
    if (!same_ignoring_case(header.name, name)) continue;
    found = found ? *found + ',' + folded(header.value) : folded(header.value);
  }
  return found;
}

std::string credential_scope(const Scope& scope, std::string_view date) {
  return fmt::format("{}/{}/{}/aws4_request", date.substr(0, 8), scope.region, scope.service);
}

std::string canonical_path(std::string_view path, std::string_view service) {
  if (path.empty()) return "/";
  // An S3 key may hold "..", "//" and encoded slashes, and means them.
  if (service == "s3") return std::string{path};
  return percent_encode(without_dot_segments(path), "/");
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const std::string_view piece : split(query, '&')) {
    const auto equals = piece.find('=');
    pairs.emplace_back(piece.substr(0, equals),
                       equals == std::string_view::npos ? "" : piece.substr(equals + 1));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  }
  return out;
}

std::string canonical_request(const SignedParts& parts, std::string_view service) {
  std::string headers;
  for (const std::string& name : parts.signed_names) {
    headers += fmt::format("{}:{}\n", name, header_value(parts.headers, name).value_or(""));
  }
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", parts.method, canonical_path(parts.path, service),
                     canonical_query(parts.query), headers, join(parts.signed_names, ";"),
                     parts.payload);
}

std::string signing_key_v4(const Secret& secret, const Scope& scope, std::string_view date) {
  const std::string for_day =
      hmac_sha256(fmt::format("AWS4{}", secret.reveal()), date.substr(0, 8));
  const std::string for_region = hmac_sha256(for_day, scope.region);
  const std::string for_service = hmac_sha256(for_region, scope.service);
  return hmac_sha256(for_service, "aws4_request");
}

std::string signature_v4(const SignedParts& parts, const Secret& secret, const Scope& scope,
                         std::string_view date) {
  return signature_v4(parts, signing_key_v4(secret, scope, date), scope, date);
}

std::string signature_v4(const SignedParts& parts, std::string_view key, const Scope& scope,
                         std::string_view date) {
  const std::string canonical = canonical_request(parts, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", algorithm_v4, date, credential_scope(scope, date),
                  hex(std::string_view{sha256(canonical)}));
  return hex(std::string_view{hmac_sha256(key, to_sign)});
}

}  // namespace runctl::aws
