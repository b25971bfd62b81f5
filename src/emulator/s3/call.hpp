// One request to S3 while it is being answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/codec_rest.hpp"
#include "aws/sigv4.hpp"
#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/incoming.hpp"
#include "emulator/s3/records.hpp"
#include "emulator/s3/store.hpp"
#include "emulator/server/request_body.hpp"
#include "io/http_transport.hpp"
#include "io/random.hpp"

namespace runctl::emulator::s3 {

struct Call {
  Store& store;
  Random& random;
  const HttpRequest& head;
  RequestBody& body;
  Timestamp now = {};
  std::optional<aws::SignedHead> signature = {};  // nothing: anonymous
  std::string account = {};                       // whose the request is; empty: nobody's
  std::string region = {};                        // of the signature
  aws::RestRequest rest = {};
  BucketRecord bucket = {};  // that the request is for, where the action needs one

  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

// Whether an action needs the bucket to be there.
enum class NeedsBucket : bool { no, yes };

// Source of the limits: "Amazon S3 multipart upload limits" and PutObject in the Amazon S3 User
// Guide; checked 2026.
inline constexpr std::uint64_t largest_put = std::uint64_t{5} << 30U;
inline constexpr std::uint64_t smallest_part = std::uint64_t{5} << 20U;  // but for the last
inline constexpr std::uint32_t most_parts = 10'000;
inline constexpr std::uint64_t largest_object = std::uint64_t{50'000} << 30U;

template <class Operation>
[[nodiscard]] Reply reply_with(const typename Operation::Response& response) {
  return aws::write_rest_response(Operation::info, aws::writing(response));
}

// "\"d41d…\"", as headers and documents have it.
[[nodiscard]] inline std::string quoted_etag(std::string_view etag) {
  return '"' + std::string{etag} + '"';
}

// Puts a check's value into the member of its algorithm.
template <class Output>
void set_checksum(Output& output, const Checksum& checksum) {
  if (checksum.value.empty()) return;
  if (checksum.algorithm == "CRC32") output.checksum_crc32 = checksum.value;
  if (checksum.algorithm == "CRC32C") output.checksum_crc32c = checksum.value;
  if (checksum.algorithm == "CRC64NVME") output.checksum_crc64nvme = checksum.value;
  if (checksum.algorithm == "SHA1") output.checksum_sha1 = checksum.value;
  if (checksum.algorithm == "SHA256") output.checksum_sha256 = checksum.value;
  if constexpr (requires { output.checksum_type; }) output.checksum_type = checksum.type;
}

// The one that is set, if any.
template <class Input>
[[nodiscard]] std::optional<Checksum> checksum_in(const Input& input) {
  if (!input.checksum_crc32.empty()) {
    return Checksum{.algorithm = "CRC32", .value = input.checksum_crc32};
  }
  if (!input.checksum_crc32c.empty()) {
    return Checksum{.algorithm = "CRC32C", .value = input.checksum_crc32c};
  }
  if (!input.checksum_crc64nvme.empty()) {
    return Checksum{.algorithm = "CRC64NVME", .value = input.checksum_crc64nvme};
  }
  if (!input.checksum_sha1.empty()) {
    return Checksum{.algorithm = "SHA1", .value = input.checksum_sha1};
  }
  if (!input.checksum_sha256.empty()) {
    return Checksum{.algorithm = "SHA256", .value = input.checksum_sha256};
  }
  return std::nullopt;
}

// "requester" when the request says that it pays, for x-amz-request-charged.
[[nodiscard]] inline std::string charged(const Call& call) {
  return call.header("x-amz-request-payer") == "requester" ? "requester" : "";
}

}  // namespace runctl::emulator::s3
