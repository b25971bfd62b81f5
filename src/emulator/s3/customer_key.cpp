#include "emulator/s3/customer_key.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::size_t key_length = 32;
constexpr unsigned salt_digits = 32;

std::unexpected<Error> invalid(std::string message) {
  return refuse("InvalidArgument", std::move(message));
}

std::string mac_of(const CustomerKey& key, std::string_view salt) {
  return hex(std::string_view{hmac_sha256(salt, key.bytes)});
}

bool is_key_of(const CustomerKey& key, const StoredHeaders& stored) {
  const auto kept = stored.find(std::string{customer_mac});
  if (kept == stored.end()) return false;
  const std::string_view text = kept->second;
  const auto colon = text.find(':');
  return colon != std::string_view::npos &&
         mac_of(key, text.substr(0, colon)) == text.substr(colon + 1);
}

bool has_key(const StoredHeaders& stored) {
  return stored.contains(std::string{customer_algorithm});
}

}  // namespace

Result<std::optional<CustomerKey>> customer_key_of(const Call& call, std::string_view prefix) {
  const std::string base = fmt::format("{}server-side-encryption-customer-", prefix);
  const std::string_view algorithm = call.header(base + "algorithm");
  const std::string_view key = call.header(base + "key");
  const std::string_view digest = call.header(base + "key-md5");
  if (algorithm.empty() && key.empty() && digest.empty()) return std::nullopt;
  constexpr std::string_view must =
      "Requests specifying Server Side Encryption with Customer provided keys must provide";
  if (algorithm.empty()) return invalid(fmt::format("{} a valid encryption algorithm.", must));
  if (algorithm != "AES256") {
    return refuse("InvalidEncryptionAlgorithmError",
                  "The Encryption request you specified is not valid. Supported value: AES256.");
  }
  if (key.empty()) return invalid(fmt::format("{} an appropriate secret key.", must));
  if (digest.empty()) {
    return invalid(fmt::format("{} the client calculated MD5 of the secret key.", must));
  }
  auto bytes = base64_decode(key);
  if (bytes && base64(md5(*bytes)) != digest) {
    return invalid("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  if (!bytes || bytes->size() != key_length) {
    return invalid("The secret key was invalid for the specified algorithm.");
  }
  // Copied: of a moved string GCC 12 believes, under -fsanitize=thread, that it does not fit.
  std::optional<CustomerKey> made{std::in_place};
  made->bytes.append(bytes->data(), bytes->size());
  return made;
}

void keep_customer_key(const CustomerKey& key, Random& random, StoredHeaders& stored) {
  const std::string salt = random_hex(random, salt_digits);
  stored[std::string{customer_algorithm}] = "AES256";
  stored[std::string{customer_mac}] = fmt::format("{}:{}", salt, mac_of(key, salt));
}

Result<void> check_customer_key(const Call& call, const StoredHeaders& stored,
                                std::string_view prefix) {
  RUNCTL_TRY_LET(const auto brought, customer_key_of(call, prefix));
  if (!has_key(stored)) {
    if (!brought) return {};
    return refuse("InvalidRequest", "The encryption parameters are not applicable to this object.");
  }
  if (!brought) {
    return refuse("InvalidRequest",
                  "The object was stored using a form of Server Side Encryption. The correct "
                  "parameters must be provided to retrieve the object.");
  }
  if (is_key_of(*brought, stored)) return {};
  return refuse("AccessDenied",
                "Requests specifying Server Side Encryption with Customer provided keys must "
                "provide the correct secret key.",
                403);
}

Result<void> check_upload_key(const Call& call, const StoredHeaders& stored) {
  RUNCTL_TRY_LET(const auto brought, customer_key_of(call, "x-amz-"));
  if (has_key(stored) != brought.has_value()) {
    return refuse("InvalidRequest",
                  "The multipart upload initiate requested encryption. Subsequent part requests "
                  "must include the appropriate encryption parameters.");
  }
  if (!brought || is_key_of(*brought, stored)) return {};
  return refuse("InvalidRequest",
                "The provided encryption parameters did not match the ones used originally.");
}

}  // namespace runctl::emulator::s3
