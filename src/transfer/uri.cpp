#include "transfer/uri.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "transfer/object_name.hpp"

namespace runctl::transfer {
namespace {

constexpr std::string_view bucket_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

std::unexpected<Error> bad_uri(std::string_view text, std::string_view why, std::string hint) {
  auto bad =
      fail(Errc::invalid_argument, fmt::format("'{}' is no name in S3: {}", printable(text), why));
  bad.error().hint = std::move(hint);
  return bad;
}

// What somebody meant who wrote an address of S3's web interface.
std::string hint_for_url(std::string_view text) {
  const std::string_view rest = text.substr(text.find("://") + 3);
  const std::string_view host = rest.substr(0, rest.find('/'));
  std::string_view path = host.size() < rest.size() ? rest.substr(host.size() + 1) : "";
  path = path.substr(0, path.find('?'));
  const auto service = host.find(".s3");
  if (host.starts_with("s3.") || host.starts_with("s3-")) {
    return fmt::format("Write s3://{}.", printable(percent_decode(path)));
  }
  if (service != std::string_view::npos && host.contains("amazonaws.com")) {
    return fmt::format("Write s3://{}/{}.", host.substr(0, service),
                       printable(percent_decode(path)));
  }
  return "Write s3://BUCKET/KEY; --endpoint-url names another server than AWS's.";
}

}  // namespace

bool is_s3_uri(std::string_view text) { return lower(text.substr(0, 3)) == "s3:"; }

Result<S3Uri> parse_s3_uri(std::string_view text) {
  const std::string start = lower(text.substr(0, 5));
  if (text.starts_with("arn:")) {
    return bad_uri(text, "ARNs are not taken here",
                   "Write s3://BUCKET/KEY; an access point's alias can stand for the bucket.");
  }
  if (lower(text.substr(0, 7)) == "http://" || lower(text.substr(0, 8)) == "https://") {
    return bad_uri(text, "it is an address of the web", hint_for_url(text));
  }
  if (!is_s3_uri(text)) {
    return bad_uri(text, "it does not begin with s3://",
                   fmt::format("Write s3://BUCKET/KEY, such as s3://{}.", printable(text)));
  }
  if (start != "s3://") {
    std::string_view rest = text.substr(3);
    while (rest.starts_with('/')) rest.remove_prefix(1);
    return bad_uri(text, "it does not begin with s3://",
                   fmt::format("Write s3://{}.", rest.empty() ? "BUCKET/KEY" : printable(rest)));
  }
  const std::string_view rest = text.substr(5);
  const auto slash = rest.find('/');
  const std::string_view bucket = rest.substr(0, slash);
  const std::string_view key =
      slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  if (bucket.empty()) return bad_uri(text, "it names no bucket", "Write s3://BUCKET/KEY.");
  if (bucket.size() < 3 || bucket.size() > 255 ||
      bucket.find_first_not_of(bucket_characters) != std::string_view::npos) {
    return bad_uri(text, fmt::format("no bucket is called '{}'", printable(bucket)),
                   "A bucket's name has 3 to 63 lower-case letters, digits, hyphens and dots.");
  }
  if (key.size() > greatest_key) {
    return bad_uri(text, fmt::format("its key has {} bytes", key.size()),
                   fmt::format("S3 takes keys of up to {} bytes.", greatest_key));
  }
  if (!is_utf8(key)) {
    return bad_uri(text, "its key is not UTF-8", "S3 takes keys in UTF-8 only.");
  }
  return S3Uri{.bucket = std::string{bucket}, .key = std::string{key}};
}

std::string to_text(const S3Uri& uri) { return fmt::format("s3://{}/{}", uri.bucket, uri.key); }

std::string folder_of(const S3Uri& uri) {
  return uri.key.empty() || uri.key.ends_with('/') ? uri.key : uri.key + '/';
}

}  // namespace runctl::transfer
