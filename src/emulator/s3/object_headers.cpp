#include "emulator/s3/object_headers.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/customer_key.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::string_view meta = "x-amz-meta-";
constexpr std::string_view sse = "x-amz-server-side-encryption";
constexpr std::string_view kms_key = "x-amz-server-side-encryption-aws-kms-key-id";

constexpr std::array<std::string_view, 8> system_headers{
    "cache-control", "content-disposition", "content-encoding", "content-language", "content-type",
    "expires",       "x-amz-acl",           "x-amz-tagging"};
constexpr std::array<std::string_view, 4> encryption_headers{
    sse, kms_key, "x-amz-server-side-encryption-bucket-key-enabled", customer_algorithm};

bool is_secret(std::string_view name) {
  return name == "x-amz-acl" || name == "x-amz-tagging" || name == customer_mac;
}

void show_customer_md5(const Call& call, const StoredHeaders& stored,
                       std::vector<HttpHeader>& shown) {
  if (!stored.contains(std::string{customer_algorithm})) return;
  const std::string_view brought = call.header(customer_md5);
  if (brought.empty()) return;
  shown.push_back({.name = std::string{customer_md5}, .value = std::string{brought}});
}

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

Result<void> store_encryption(const Call& call, StoredHeaders& stored) {
  const std::string_view asked = call.header(sse);
  if (!asked.empty() && !call.header(customer_algorithm).empty()) {
    return invalid(
        "Server Side Encryption with Customer provided key is incompatible with the "
        "encryption method specified");
  }
  RUNCTL_TRY_LET(const auto customer, customer_key_of(call, "x-amz-"));
  if (customer) {
    keep_customer_key(*customer, call.random, stored);
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

std::vector<HttpHeader> headers_to_show(const Call& call, const StoredHeaders& stored) {
  std::vector<HttpHeader> shown;
  for (const auto& [name, value] : stored) {
    if (name == "x-amz-tagging") {
      shown.push_back({.name = "x-amz-tagging-count",
                       .value = std::to_string(std::ranges::count(value, '&') + 1)});
    }
    if (!is_secret(name)) shown.push_back({.name = name, .value = value});
  }
  show_customer_md5(call, stored, shown);
  return shown;
}

std::vector<HttpHeader> encryption_to_show(const Call& call, const StoredHeaders& stored) {
  std::vector<HttpHeader> shown;
  for (const auto& [name, value] : stored) {
    if (name.starts_with(sse) && !is_secret(name)) shown.push_back({.name = name, .value = value});
  }
  show_customer_md5(call, stored, shown);
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

std::string etag_of(std::string_view md5, const StoredHeaders& stored) {
  const auto encryption = stored.find(std::string{sse});
  const bool is_plain = encryption != stored.end() && encryption->second == "AES256";
  if (is_plain) return hex(md5);
  const auto key = stored.find(std::string{customer_mac});
  const std::string salt = key == stored.end() ? stored.at(std::string{kms_key}) : key->second;
  return hex(std::string_view{runctl::md5(std::string{md5} + salt)});
}

}  // namespace runctl::emulator::s3
