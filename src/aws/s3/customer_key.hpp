// A key of the customer's own, by which S3 encrypts an object and which it then forgets (SSE-C).
// Source: "Using server-side encryption with customer-provided keys (SSE-C)" in the Amazon S3 User
// Guide.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/codec_rest.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace runctl::aws::s3 {

class CustomerKey {
 public:
  static constexpr std::string_view algorithm = "AES256";
  static constexpr std::size_t length = 32;  // bytes, of AES-256

  // Of the key's own bytes. Errors: invalid_argument unless they are `length`; says how many there
  // are, and nothing of them.
  [[nodiscard]] static Result<CustomerKey> of(std::string_view bytes);

  // As its header has it. Named as Secret's is, so that every use is one grep away.
  [[nodiscard]] std::string_view reveal_base64() const { return text_.reveal(); }
  [[nodiscard]] const std::string& md5() const { return md5_; }  // in base64, as its header has it
  // Tells two keys apart, and nothing of either: 32 hex digits of an HMAC-SHA-256 under the key.
  [[nodiscard]] const std::string& print() const { return print_; }

 private:
  CustomerKey(Secret text, std::string md5, std::string print)
      : text_{std::move(text)}, md5_{std::move(md5)}, print_{std::move(print)} {}

  Secret text_;
  std::string md5_;
  std::string print_;
};

struct CustomerKeys {
  std::optional<CustomerKey> object = {};       // of what is read or written
  std::optional<CustomerKey> copy_source = {};  // of what a copy is made of
};

// Into a request that reads or writes an object. No key: the request stays as it is.
template <class Request>
void put_customer_key(const std::optional<CustomerKey>& key, Request& request) {
  if (!key) return;
  request.sse_customer_algorithm = CustomerKey::algorithm;
  request.sse_customer_key = key->reveal_base64();
  request.sse_customer_key_md5 = key->md5();
}

// Into a request that copies: the key of what is copied.
template <class Request>
void put_copy_source_key(const std::optional<CustomerKey>& key, Request& request) {
  if (!key) return;
  request.copy_source_sse_customer_algorithm = CustomerKey::algorithm;
  request.copy_source_sse_customer_key = key->reveal_base64();
  request.copy_source_sse_customer_key_md5 = key->md5();
}

// Whether a request has a key in it, of either kind.
[[nodiscard]] bool carries_customer_key(const RestRequest& request);

// Adds to a refusal of S3's what it may mean where objects have keys: S3 answers alike, and HEAD
// without a word, whether a key is missing, wrong or too much.
[[nodiscard]] Error explain_customer_key(Error error, const RestRequest& request);

}  // namespace runctl::aws::s3
