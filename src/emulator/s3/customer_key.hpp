// Keys of the customer's own (SSE-C): how a request brings one, and what is kept to know it again.
// Source: "Using server-side encryption with customer-provided keys (SSE-C)" in the Amazon S3 User
// Guide; what S3 answers was looked up in answers of it that others have recorded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/records.hpp"
#include "io/random.hpp"

namespace runctl::emulator::s3 {

inline constexpr std::string_view customer_algorithm =
    "x-amz-server-side-encryption-customer-algorithm";
inline constexpr std::string_view customer_md5 = "x-amz-server-side-encryption-customer-key-md5";
// Of the key there is kept "SALT:HMAC", as S3 keeps it; it comes back to nobody.
inline constexpr std::string_view customer_mac = "x-amz-server-side-encryption-customer-key-hmac";

struct CustomerKey {
  std::string bytes;  // 32
};

// What the request brings; nothing when it brings none. `prefix` is "x-amz-" or
// "x-amz-copy-source-". Errors: InvalidArgument, InvalidEncryptionAlgorithmError.
[[nodiscard]] Result<std::optional<CustomerKey>> customer_key_of(const Call& call,
                                                                 std::string_view prefix);

// Notes with an object that it has this key.
void keep_customer_key(const CustomerKey& key, Random& random, StoredHeaders& stored);

// Whether a read brings the key that the object needs. Errors: InvalidRequest, AccessDenied, those
// of customer_key_of.
[[nodiscard]] Result<void> check_customer_key(const Call& call, const StoredHeaders& stored,
                                              std::string_view prefix = "x-amz-");

// Whether a request of a multipart upload brings the key that the upload was begun with. Errors:
// InvalidRequest, those of customer_key_of.
[[nodiscard]] Result<void> check_upload_key(const Call& call, const StoredHeaders& stored);

}  // namespace runctl::emulator::s3
