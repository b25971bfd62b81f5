// AWS Signature Version 4: signing requests, and checking signatures with the same code.
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"
#include "io/http_transport.hpp"

namespace runctl::aws {

// What a signature is valid for, besides its day.
struct Scope {
  std::string region;
  std::string service;  // the signing name: "ec2"; "s3" has rules of its own
};

// `request` with host, x-amz-date, x-amz-security-token and authorization set, and for s3
// x-amz-content-sha256. Signs every header except those that proxies and clients change on the way.
// An x-amz-content-sha256 that the caller has set is taken as the body's hash ("UNSIGNED-PAYLOAD"
// leaves the body out). The query is signed as it stands: it must be percent-encoded already.
[[nodiscard]] HttpRequest sign_v4(HttpRequest request, const Credentials& credentials,
                                  const Scope& scope, Timestamp now);

// As above, with what signing_key_v4 (sigv4_canonical.hpp) makes of the secret: four hashes that
// whoever sends many requests does once a day.
[[nodiscard]] HttpRequest sign_v4(HttpRequest request, const Credentials& credentials,
                                  const Scope& scope, Timestamp now, std::string_view key);

// `request` with the signature in the URL's query, good for `expires` (at most seven days). Whoever
// sends it must send the headers that it has, and needs no others. For s3 the body is left out of
// the signature.
[[nodiscard]] HttpRequest presign_v4(const HttpRequest& request, const Credentials& credentials,
                                     const Scope& scope, Timestamp now,
                                     std::chrono::seconds expires);

// Why a signature was refused; each protocol has its own code for each of them.
enum class SignatureFault : std::uint8_t {
  missing,      // neither an authorization header nor signature parameters
  malformed,    // a part of it is absent, repeated or not of its form; a header that must be signed
                // is not
  unknown_key,  // nobody has this access key id
  wrong_scope,  // the credential's date is not the request's
  expired,      // older than the allowed skew, or past the end that a presigned URL names
  not_yet_current,  // from further in the future than the allowed skew
  wrong_signature,  // made with another secret or for another request
  wrong_body,       // the body is not the one that x-amz-content-sha256 names
};

struct SignatureFailure {
  SignatureFault fault = SignatureFault::missing;
  std::string detail = {};  // one sentence in the style of Error::message; no secrets
};

struct SignedIdentity {
  std::string access_key_id;
  Scope scope;
  std::optional<Secret> session_token =
      {};  // covered by the signature; whose it is the caller must check
};

// Of a request whose body is still to come: whose it is, and what its body has to be held against.
struct SignedHead {
  SignedIdentity identity;
  // What x-amz-content-sha256 says, and the signature covers: the body's hash in 64 hex digits, or
  // a constant of S3's ("UNSIGNED-PAYLOAD", "STREAMING-…").
  std::string payload = {};
  std::string date = {};       // X-Amz-Date
  std::string signature = {};  // 64 hex digits; the first chunk's is made from it
};

using SecretLookup = std::function<std::optional<Secret>(std::string_view access_key_id)>;

struct VerifyOptions {
  // Source: RequestExpired in "Common errors" of AWS's API references, checked 2026: 15 minutes.
  std::chrono::seconds allowed_skew{900};
};

// Checks a request as it was received: `url` is its target ("/path?query"; an absolute URL is taken
// as well), the headers are all there, host among them, the body is whole. Compares in constant
// time. Not accepted: chunk signatures (STREAMING-AWS4-…), SigV4A, a Date header in place of
// X-Amz-Date.
[[nodiscard]] std::expected<SignedIdentity, SignatureFailure> verify_v4(
    const HttpRequest& request, Timestamp now, const SecretLookup& secret_of,
    const VerifyOptions& options = {});

// As verify_v4, without the body: only S3 signs what is not known yet. Without a hash in the
// headers `payload` is that of an empty body, or in a presigned URL UNSIGNED-PAYLOAD. Chunk
// signatures are the caller's to check (sigv4_chunks.hpp).
[[nodiscard]] std::expected<SignedHead, SignatureFailure> verify_v4_head(
    const HttpRequest& head, Timestamp now, const SecretLookup& secret_of,
    const VerifyOptions& options = {});

}  // namespace runctl::aws
