#include "emulator/s3/incoming.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/text.hpp"
#include "emulator/cloud_secret.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::size_t piece_size = std::size_t{256} << 10U;

// What S3 says of a body that does not come as it should.
Error told(Error error) {
  if (error.remote) return error;
  if (error.code == Errc::deadline_exceeded) {
    return refuse("RequestTimeout",
                  "Your socket connection to the server was not read from or written to within "
                  "the timeout period. Idle connections will be closed.")
        .error();
  }
  return refuse("IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP "
                "header")
      .error();
}

bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<Incoming>> Incoming::prepare(
    const HttpRequest& head, RequestBody& wire, const std::optional<aws::SignedHead>& signature) {
  std::unique_ptr<Incoming> incoming{new Incoming{wire}};
  RUNCTL_TRY(incoming->read_headers(head));
  RUNCTL_TRY(incoming->unpack(head, signature));
  return incoming;
}

Result<void> Incoming::read_headers(const HttpRequest& head) {
  // CompleteMultipartUpload's checksum is not its document's but the object's.
  const bool completes = head.method == "POST" && head.url.contains("uploadId=");
  if (!completes) {
    RUNCTL_TRY_LET(claimed_, claimed_checksum(head.headers));
  }
  const auto md5 = aws::header_value(head.headers, "content-md5");
  if (!md5) return {};
  const auto decoded = base64_decode(*md5);
  if (!decoded || decoded->size() != 16) {
    return refuse("InvalidDigest", "The Content-MD5 you specified was invalid.");
  }
  md5_ = *decoded;
  return {};
}

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: the values
// of x-amz-content-sha256. SigV4A's are not known here.
Result<void> Incoming::unpack(const HttpRequest& head,
                              const std::optional<aws::SignedHead>& signature) {
  const std::string payload =
      aws::header_value(head.headers, "x-amz-content-sha256").value_or("UNSIGNED-PAYLOAD");
  if (payload == "UNSIGNED-PAYLOAD") return {};
  if (is_digest(payload)) {
    sha256_hex_ = payload;
    return {};
  }
  const bool is_signed = payload.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  const bool has_trailer = payload.ends_with("-TRAILER");
  if (payload != "STREAMING-UNSIGNED-PAYLOAD-TRAILER" &&
      payload != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" &&
      payload != "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return refuse(
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or "
        "a valid sha256 value.");
  }
  ChunkedForm form{.has_trailer = has_trailer};
  const std::string length =
      aws::header_value(head.headers, "x-amz-decoded-content-length").value_or("");
  const auto [rest, error] =
      std::from_chars(length.data(), length.data() + length.size(), form.length);
  if (error != std::errc{} || rest != length.data() + length.size()) {
    return refuse("MissingContentLength",
                  "You must provide the Content-Length HTTP header: of chunks, in "
                  "x-amz-decoded-content-length.",
                  411);
  }
  if (is_signed) {
    if (!signature) return refuse("AccessDenied", "Access Denied", 403);
    form.signatures.emplace(Secret{std::string{secret_access_key}}, *signature);
  }
  chunks_.emplace(wire_, std::move(form));
  return {};
}

std::optional<std::uint64_t> Incoming::size() const {
  return chunks_ ? chunks_->size() : wire_.size();
}

Result<Digests> Incoming::receive(std::vector<Algorithm> also, const Take& take) {
  if (claimed_) also.push_back(claimed_->algorithm);
  Digests digests{std::move(also), !sha256_hex_.empty()};
  RequestBody& body = chunks_ ? static_cast<RequestBody&>(*chunks_) : wire_;
  const auto expected = size().value_or(piece_size);
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(expected, 1, piece_size)));
  while (true) {
    // A full buffer at a time: a file is then written in few pieces.
    std::size_t filled = 0;
    bool is_over = false;
    while (filled < buffer.size()) {
      auto got = body.read(std::span{buffer}.subspan(filled));
      if (!got) return std::unexpected{told(std::move(got).error())};
      if (*got == 0) {
        is_over = true;
        break;
      }
      filled += *got;
    }
    const auto piece = std::span{buffer}.first(filled);
    digests.update(piece);
    if (filled > 0) RUNCTL_TRY(take(piece));
    if (is_over) break;
  }
  RUNCTL_TRY(check(digests));
  return digests;
}

Result<void> Incoming::check(const Digests& digests) {
  if (!sha256_hex_.empty() && digests.sha256_hex() != sha256_hex_) {
    return refuse("XAmzContentSHA256Mismatch",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  if (!md5_.empty() && digests.md5() != md5_) {
    return refuse("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  if (!claimed_) return {};
  if (claimed_->value.empty()) {
    const auto trailer =
        chunks_ ? aws::header_value(chunks_->trailers(), header_of(claimed_->algorithm))
                : std::nullopt;
    if (!trailer) {
      return refuse("MalformedTrailerError",
                    "The request contained trailing data that was not well-formed or did not "
                    "conform to our published schema.");
    }
    claimed_->value = *trailer;
  }
  if (claimed_->value == digests.checksum(claimed_->algorithm)) return {};
  return refuse("BadDigest", fmt::format("The {} you specified did not match the calculated "
                                         "checksum.",
                                         name_of(claimed_->algorithm)));
}

Result<std::string> Incoming::text(std::size_t limit) {
  std::string text;
  RUNCTL_TRY_LET(
      const auto digests, receive({}, [&](std::span<const std::byte> piece) -> Result<void> {
        if (text.size() + piece.size() > limit) {
          return refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
        }
        text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return {};
      }));
  return text;
}

}  // namespace runctl::emulator::s3
