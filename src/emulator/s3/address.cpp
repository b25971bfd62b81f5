#include "emulator/s3/address.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "aws/sigv4_canonical.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

std::string_view header(const HttpRequest& head, std::string_view name) {
  for (const HttpHeader& h : head.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  for (const std::string_view piece : split(query, '&')) {
    const auto equals = piece.find('=');
    if (piece.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? "" : percent_decode(piece.substr(equals + 1));
  }
  return std::nullopt;
}

// "KEY/DATE/REGION/SERVICE/aws4_request": the fourth part from the front, counted from the end, as
// a key may hold slashes.
std::string service_in(std::string_view credential) {
  const auto parts = split(credential, '/');
  return parts.size() < 5 ? "" : std::string{parts[parts.size() - 2]};
}

// Nothing without a signature of version 4.
std::optional<std::string> signed_service(const HttpRequest& head, std::string_view query) {
  const std::string_view authorization = header(head, "authorization");
  if (const auto at = authorization.find("Credential="); at != std::string_view::npos) {
    const std::string_view credential = authorization.substr(at + 11);
    return service_in(credential.substr(0, credential.find_first_of(", ")));
  }
  const auto credential = query_value(query, "X-Amz-Credential");
  return credential ? std::optional{service_in(*credential)} : std::nullopt;
}

bool is_s3_host(std::string_view host) {
  return !bucket_in_host(host).empty() || host.starts_with("s3.") || host.starts_with("s3-");
}

bool is_address(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// '+' is a blank in a query, as browsers and some clients write it.
std::string decode_query(std::string_view text) {
  std::string blanks{text};
  std::ranges::replace(blanks, '+', ' ');
  return percent_decode(blanks);
}

}  // namespace

bool is_s3_request(const HttpRequest& head) {
  if (!header(head, "x-amz-target").empty()) return false;
  const aws::UrlParts url = aws::split_url(head.url);
  if (const auto service = signed_service(head, url.query)) return *service == "s3";
  // "AWS KEY:SIGNATURE": version 2, which only S3 ever took in a header.
  if (header(head, "authorization").starts_with("AWS ")) return true;
  if (is_s3_host(header(head, "host"))) return true;
  if (query_value(url.query, "Action")) return false;
  if (head.method != "POST") return true;
  const bool is_form =
      header(head, "content-type").starts_with("application/x-www-form-urlencoded");
  return !is_form && url.path.size() > 1;
}

std::string bucket_in_host(std::string_view host) {
  if (is_address(host)) return {};
  host = host.substr(0, host.find(':'));
  if (host.ends_with(".localhost")) {
    host.remove_suffix(std::string_view{".localhost"}.size());
    if (host == "s3") return {};
    if (host.ends_with(".s3")) host.remove_suffix(3);
    return std::string{host};
  }
  if (!host.ends_with(".amazonaws.com") && !host.ends_with(".amazonaws.com.cn")) return {};
  for (const std::string_view label : {".s3.", ".s3-"}) {
    // The last one: a bucket's name may hold it too.
    const auto at = host.rfind(label);
    if (at != std::string_view::npos && at > 0) return std::string{host.substr(0, at)};
  }
  return {};
}

Result<aws::RestRequest> read_head(const HttpRequest& head) {
  const aws::UrlParts url = aws::split_url(head.url);
  aws::RestRequest request{.method = head.method, .bucket = bucket_in_host(url.authority)};
  std::string_view path = url.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (request.bucket.empty()) {
    const auto slash = path.find('/');
    request.bucket = percent_decode(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  request.key = percent_decode(path);
  // Source: "Creating object key names" in the Amazon S3 User Guide.
  constexpr std::size_t longest_key = 1'024;
  if (request.key.size() > longest_key) {
    return refuse("KeyTooLongError", "Your key is too long");
  }
  if (!url.query.empty()) {
    for (const std::string_view piece : split(url.query, '&')) {
      const auto equals = piece.find('=');
      request.query.emplace_back(
          percent_decode(piece.substr(0, equals)),
          equals == std::string_view::npos ? "" : decode_query(piece.substr(equals + 1)));
    }
  }
  request.headers = head.headers;
  return request;
}

bool is_bucket_name(std::string_view name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::array<std::string_view, 4> prefixes{"xn--", "sthree-", "amzn-s3-demo-", "."};
  constexpr std::array<std::string_view, 4> suffixes{"-s3alias", "--ol-s3", ".mrap", "--x-s3"};
  if (name.size() < 3 || name.size() > 63) return false;
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string_view::npos) {
    return false;
  }
  if (!letters.contains(name.front()) || !letters.contains(name.back())) return false;
  if (name.contains("..") || is_address(name)) return false;
  return std::ranges::none_of(prefixes, [&](auto p) { return name.starts_with(p); }) &&
         std::ranges::none_of(suffixes, [&](auto s) { return name.ends_with(s); });
}

Result<CopySource> parse_copy_source(std::string_view header) {
  CopySource source;
  const auto question = header.find("?versionId=");
  if (question != std::string_view::npos) {
    source.version_id = percent_decode(header.substr(question + 11));
    header = header.substr(0, question);
  }
  const std::string decoded = percent_decode(header);
  std::string_view path = decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == path.size()) {
    return refuse("InvalidArgument",
                  "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
  }
  source.bucket = path.substr(0, slash);
  source.key = path.substr(slash + 1);
  return source;
}

}  // namespace runctl::emulator::s3
