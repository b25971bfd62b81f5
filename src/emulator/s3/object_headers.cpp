#include "emulator/s3/object_headers.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/hasher.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::string_view meta = "x-amz-meta-";
constexpr std::string_view sse = "x-amz-server-side-encryption";
constexpr std::string_view kms_key = "x-amz-server-side-encryption-aws-kms-key-id";
constexpr std::string_view customer_algorithm = "x-amz-server-side-encryption-customer-algorithm";
constexpr std::string_view customer_md5 = "x-amz-server-side-encryption-customer-key-md5";

constexpr std::array<std::string_view, 8> system_headers{
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-type",
    "expires",       "x-amz-acl",           "x-amz-tagging"};
constexpr std::array<std::string_view, 4> encryption_headers{
    sse, kms_key, "x-amz-server-side-encryption-bucket-key-enabled", customer_algorithm};

// The digest of S3's customer keys, and of etags that are no digest of the bytes.
std::string md5_of(std::string_view bytes) {
  Hasher hasher{HashKind::md5};
  hasher.update(std::as_bytes(std::span{bytes}));
  return hasher.digest();
}

bool is_secret(std::string_view name) { return name == "x-amz-acl" || name == "x-amz-tagging"; }

// "aws-chunked" is how the body came, not what it is.
std::string without_chunking(std::string_view encodings) {
  std::string rest;
  for (const std::string_view piece : split(encodings, ',')) {
    const std::string_view encoding = trim(piece);
    if (encoding.empty() || encoding == "aws-chunked") continue;
    rest += fmt::format("{}{}", rest.empty() ? "" : ",", encoding);
  }
  return rest;
}

std::unexpected<Error> invalid(std::string message) {
  return refuse("InvalidArgument", std::move(message));
}

struct CustomerKey {
  std::string algorithm;
  std::string md5;  // base64
};

// Nothing when the request brings none. Source: "Using server-side encryption with
// customer-provided keys" in the Amazon S3 User Guide.
Result<std::optional<CustomerKey>> customer_key_of(const Call& call, std::string_view prefix) {
  const std::string base = fmt::format("{}server-side-encryption-customer-", prefix);
  const std::string_view algorithm = call.header(base + "algorithm");
  const std::string_view key = call.header(base + "key");
  const std::string_view md5 = call.header(base + "key-md5");
  if (algorithm.empty() && key.empty() && md5.empty()) return std::nullopt;
  if (algorithm != "AES256") {
    return invalid(
        "Requests specifying Server Side Encryption with Customer provided keys must "
        "provide a valid encryption algorithm.");
  }
  const auto bytes = base64_decode(key);
  if (!bytes || bytes->size() != 32) {
    return invalid("The secret key was invalid for the specified algorithm.");
  }
  if (base64(md5_of(*bytes)) != md5) {
    return invalid("The calculated MD5 hash of the key did not match the hash that was provided.");
  }
  return CustomerKey{.algorithm = std::string{algorithm}, .md5 = std::string{md5}};
}

Result<void> store_encryption(const Call& call, StoredHeaders& stored) {
  RUNCTL_TRY_LET(const auto customer, customer_key_of(call, "x-amz-"));
  const std::string_view asked = call.header(sse);
  if (customer) {
    if (!asked.empty()) {
      return invalid(
          "Server Side Encryption with Customer provided key is incompatible with the "
          "encryption method specified");
    }
    stored[std::string{customer_algorithm}] = customer->algorithm;
    stored[std::string{customer_md5}] = customer->md5;
    return {};
  }
  if (!asked.empty() && asked != "AES256" && asked != "aws:kms" && asked != "aws:kms:dsse") {
    return invalid("The encryption method specified is not supported");
  }
  stored[std::string{sse}] = asked.empty() ? "AES256" : std::string{asked};
  const std::string_view key = call.header(kms_key);
  if (asked.starts_with("aws:kms")) {
    // Without one, the account's own key for S3 is taken.
    stored[std::string{kms_key}] = key.starts_with("arn:")
                                       ? std::string{key}
                                       : fmt::format("arn:aws:kms:{}:{}:key/{}", call.bucket.region,
                                                     call.account, key.empty() ? "aws-s3" : key);
  } else if (!key.empty()) {
    return invalid(
        "Server Side Encryption with AWS KMS managed key requires HTTP header "
        "x-amz-server-side-encryption : aws:kms");
  }
  const std::string_view bucket_key = call.header(encryption_headers[2]);
  if (!bucket_key.empty()) stored[std::string{encryption_headers[2]}] = bucket_key;
  return {};
}

}  // namespace

Result<StoredHeaders> headers_to_store(const Call& call) {
  // Source: "Working with object metadata" in the Amazon S3 User Guide.
  constexpr std::size_t most_metadata = 2'048;
  StoredHeaders stored;
  std::size_t metadata = 0;
  for (const HttpHeader& header : call.rest.headers) {
    const std::string_view name = header.name;
    if (name.starts_with(meta)) {
      metadata += name.size() - meta.size() + header.value.size();
      std::string& value = stored[header.name];
      // Two of one name are one, as for any header.
      value += value.empty() ? header.value : "," + header.value;
      continue;
    }
    if (std::ranges::find(system_headers, name) == system_headers.end()) continue;
    std::string value = name == "content-encoding" ? without_chunking(header.value) : header.value;
    if (!value.empty()) stored[header.name] = std::move(value);
  }
  if (metadata > most_metadata) {
    return refuse("MetadataTooLarge",
                  "Your metadata headers exceed the maximum allowed metadata "
                  "size");
  }
  if (!stored.contains("content-type")) stored["content-type"] = "binary/octet-stream";
  RUNCTL_TRY(store_encryption(call, stored));
  return stored;
}

std::vector<HttpHeader> headers_to_show(const StoredHeaders& stored) {
  std::vector<HttpHeader> shown;
  for (const auto& [name, value] : stored) {
    if (name == "x-amz-tagging") {
      shown.push_back({.name = "x-amz-tagging-count",
                       .value = std::to_string(std::ranges::count(value, '&') + 1)});
    }
    if (!is_secret(name)) shown.push_back({.name = name, .value = value});
  }
  return shown;
}

std::vector<HttpHeader> encryption_to_show(const StoredHeaders& stored) {
  std::vector<HttpHeader> shown;
  for (const auto& [name, value] : stored) {
    if (name.starts_with(sse)) shown.push_back({.name = name, .value = value});
  }
  return shown;
}

Result<std::string> storage_class_of(std::string_view header) {
  // Source: "StorageClass" of PutObject in the Amazon S3 API Reference; checked 2026. Those of
  // Outposts, Snow and directory buckets are of other endpoints.
  constexpr std::array<std::string_view, 8> classes{
      "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
      "GLACIER",  "DEEP_ARCHIVE",       "GLACIER_IR"};
  if (header.empty()) return std::string{classes.front()};
  if (std::ranges::find(classes, header) == classes.end()) {
    return refuse("InvalidStorageClass", "The storage class you specified is not valid");
  }
  return std::string{header};
}

Result<void> check_customer_key(const Call& call, const StoredHeaders& stored,
                                std::string_view prefix) {
  RUNCTL_TRY_LET(const auto brought, customer_key_of(call, prefix));
  const auto needed = stored.find(std::string{customer_md5});
  if (needed == stored.end()) {
    if (!brought) return {};
    return refuse("InvalidRequest", "The encryption parameters are not applicable to this object.");
  }
  if (!brought) {
    return refuse("InvalidRequest",
                  "The object was stored using a form of Server Side Encryption. The correct "
                  "parameters must be provided to retrieve the object.");
  }
  if (brought->md5 != needed->second) return refuse("AccessDenied", "Access Denied", 403);
  return {};
}

std::string etag_of(std::string_view md5, const StoredHeaders& stored) {
  const auto encryption = stored.find(std::string{sse});
  const bool is_plain = encryption != stored.end() && encryption->second == "AES256";
  if (is_plain) return hex(md5);
  const auto key = stored.find(std::string{customer_md5});
  const std::string salt = key == stored.end() ? stored.at(std::string{kms_key}) : key->second;
  return hex(std::string_view{md5_of(std::string{md5} + salt)});
}

}  // namespace runctl::emulator::s3
