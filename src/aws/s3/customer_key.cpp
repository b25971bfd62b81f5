#include "aws/s3/customer_key.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

constexpr std::string_view key_header = "x-amz-server-side-encryption-customer-key";
constexpr std::string_view source_key_header =
    "x-amz-copy-source-server-side-encryption-customer-key";

// Source: "Default SSE-C setting for new buckets FAQ" in the Amazon S3 User Guide.
constexpr std::string_view blocked =
    "If you may write there: AWS's buckets take no objects with keys of yours (SSE-C) until they "
    "are told to, since April 2026. See runctl help keys of your own.";

// What S3 says of a key, or without a word may mean.
std::string hint_for_400(std::string_view message, bool is_mute, bool brings,
                         std::string_view option) {
  const bool speaks = message.contains("Server Side Encryption") ||
                      message.contains("encryption parameters") ||
                      message.contains("requested encryption");
  if (!is_mute && !speaks) return {};
  const std::string_view doubt = is_mute ? "S3 does not say why. " : "";
  if (!brings) {
    return fmt::format(
        "{}If the object is encrypted with a key of yours (SSE-C), name that key: {} "
        "fileb://FILE.",
        doubt, option);
  }
  return fmt::format("{}If the object is not encrypted with a key of yours (SSE-C), leave {} out.",
                     doubt, option);
}

}  // namespace

Result<CustomerKey> CustomerKey::of(std::string_view bytes) {
  if (bytes.size() != length) {
    return fail(Errc::invalid_argument,
                fmt::format("a key of yours (SSE-C) has {} bytes, not {}", length, bytes.size()));
  }
  constexpr std::string_view purpose = "runctl: which key, without the key";
  return CustomerKey{Secret{base64(bytes)}, base64(runctl::md5(bytes)),
                     hex(std::string_view{hmac_sha256(bytes, purpose)}).substr(0, 32)};
}

bool carries_customer_key(const RestRequest& request) {
  return find_header(request.headers, key_header) ||
         find_header(request.headers, source_key_header);
}

Error explain_customer_key(Error error, const RestRequest& request) {
  if (!error.remote || request.key.empty()) return error;
  const bool is_copy = find_header(request.headers, "x-amz-copy-source").has_value();
  const bool has_key = find_header(request.headers, key_header).has_value();
  const bool has_source_key = find_header(request.headers, source_key_header).has_value();
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const int status = error.remote->http_status;
  if (status == 400) {
    const bool brings = is_copy ? has_source_key : has_key;
    std::string hint = hint_for_400(error.message, request.method == "HEAD", brings,
                                    is_copy ? "--sse-c-copy-source-key" : "--sse-c-key");
    if (!hint.empty()) error.hint = std::move(hint);
  } else if (status == 403 && reads && has_key) {
    error.hint = "Is it the key that the object was written with? If so, ask for the permission.";
  } else if (status == 403 && has_source_key && !has_key) {
    error.hint = "Is it the key that the source was written with? If so, ask for the permission.";
  } else if (status == 403 && has_key) {
    error.hint = blocked;
  }
  return error;
}

}  // namespace runctl::aws::s3
