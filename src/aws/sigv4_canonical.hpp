// The one form of a request that both its sender and its receiver sign.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.hpp"
#include "base/secret.hpp"
#include "io/http_transport.hpp"

namespace runctl::aws {

inline constexpr std::string_view algorithm_v4 = "AWS4-HMAC-SHA256";
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

// Views into the URL. Of a request's target ("/path?query") `base` and `authority` are empty.
struct UrlParts {
  std::string_view base;       // "https://host:8443"
  std::string_view scheme;     // "https"
  std::string_view authority;  // "host:8443"
  std::string_view path;
  std::string_view query;  // without '?' and fragment
};
[[nodiscard]] UrlParts split_url(std::string_view url);

// Lower case, without user information and without the scheme's own port.
[[nodiscard]] std::string host_header(const UrlParts& url);

// All values of that name joined by commas, in order; nothing when there is none. `name` in lower
// case, the headers' names in any.
[[nodiscard]] std::optional<std::string> header_value(std::span<const HttpHeader> headers,
                                                      std::string_view name);

// "20260131/eu-west-1/ec2/aws4_request"; `date` as in X-Amz-Date.
[[nodiscard]] std::string credential_scope(const Scope& scope, std::string_view date);

// "" becomes "/". Except for s3, empty, "." and ".." segments are resolved and the rest is encoded
// once more.
[[nodiscard]] std::string canonical_path(std::string_view path, std::string_view service);

// Sorted by name, then value; a name without '=' gets one.
[[nodiscard]] std::string canonical_query(std::string_view query);

struct SignedParts {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::span<const HttpHeader> headers;
  std::span<const std::string> signed_names;  // sorted, lower case
  std::string_view payload;                   // hex digest or a constant such as UNSIGNED-PAYLOAD
};

[[nodiscard]] std::string canonical_request(const SignedParts& parts, std::string_view service);

// The key that signs everything in that scope on that day; raw bytes.
[[nodiscard]] std::string signing_key_v4(const Secret& secret, const Scope& scope,
                                         std::string_view date);

// 64 hex digits.
[[nodiscard]] std::string signature_v4(const SignedParts& parts, const Secret& secret,
                                       const Scope& scope, std::string_view date);
[[nodiscard]] std::string signature_v4(const SignedParts& parts, std::string_view key,
                                       const Scope& scope, std::string_view date);

}  // namespace runctl::aws
