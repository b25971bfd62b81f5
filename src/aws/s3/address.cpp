#include "aws/s3/address.hpp"

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

// Source: "General purpose bucket naming rules" in the Amazon S3 User Guide. A certificate for
// *.s3.amazonaws.com is good for one label only, hence no dots.
bool fits_host(std::string_view bucket) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return bucket.size() >= 3 && bucket.size() <= 63 && !bucket.starts_with('-') &&
         !bucket.ends_with('-') && bucket.find_first_not_of(allowed) == std::string_view::npos;
}

bool goes_into_host(const Place& place, std::string_view bucket) {
  if (place.addressing == Addressing::path || !fits_host(bucket)) return false;
  return place.addressing == Addressing::virtual_host || place.endpoint.empty();
}

}  // namespace

std::string url_of(const Place& place, const RestRequest& request) {
  std::string base = place.endpoint.empty() ? aws_endpoint(s3_service, place.region, place.variant)
                                            : std::string{place.endpoint};
  while (base.ends_with('/')) base.pop_back();
  std::string url;
  url.reserve(base.size() + request.bucket.size() + request.key.size() + 64);
  if (request.bucket.empty()) {
    url = base + '/';
  } else if (goes_into_host(place, request.bucket)) {
    const auto host = base.find("://") + 3;
    url.append(base, 0, host).append(request.bucket).append(1, '.').append(base, host);
    url += '/';
  } else {
    url.append(base).append(1, '/').append(percent_encode(request.bucket));
    if (!request.key.empty()) url += '/';
  }
  url += percent_encode(request.key, "/");
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += separator;
    url += percent_encode(name);
    if (!value.empty()) url.append(1, '=').append(percent_encode(value));
    separator = '&';
  }
  return url;
}

bool is_loopback(std::string_view url) {
  std::string_view host = split_url(url).authority;
  host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "[::1]";
}

std::string_view region_in_host(std::string_view url) {
  const std::string_view host = split_url(url).authority;
  // The last label of that kind: a bucket may be called "s3".
  const auto end = host.find(".amazonaws.");
  if (end == std::string_view::npos) return {};
  const std::string_view labels = host.substr(0, end);
  const auto start = labels.rfind("s3");
  if (start == std::string_view::npos || (start > 0 && labels[start - 1] != '.')) return {};
  std::string_view rest = labels.substr(start + 2);
  for (const std::string_view word : {"-fips", ".dualstack"}) {
    if (rest.starts_with(word)) rest.remove_prefix(word.size());
  }
  const bool is_region = rest.size() > 1 && !rest.substr(1).contains('.');
  return is_region ? rest.substr(1) : std::string_view{};
}

std::string copy_source(std::string_view bucket, std::string_view key,
                        std::string_view version_id) {
  std::string out = fmt::format("{}/{}", percent_encode(bucket), percent_encode(key, "/"));
  if (!version_id.empty()) out += fmt::format("?versionId={}", percent_encode(version_id));
  return out;
}

}  // namespace runctl::aws::s3
