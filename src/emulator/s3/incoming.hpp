// The body that a request brings: unpacked, written away as it comes, and held against everything
// that the request says of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aws/sigv4.hpp"
#include "base/result.hpp"
#include "emulator/s3/aws_chunked.hpp"
#include "emulator/s3/checksums.hpp"
#include "emulator/server/request_body.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator::s3 {

class Incoming {
 public:
  // `signature` is that of the head; nothing when the request has none. Errors: InvalidRequest,
  // InvalidDigest, MissingContentLength, as S3 finds them in the headers.
  [[nodiscard]] static Result<std::unique_ptr<Incoming>> prepare(
      const HttpRequest& head, RequestBody& wire, const std::optional<aws::SignedHead>& signature);

  // Of what will come out, in bytes.
  [[nodiscard]] std::optional<std::uint64_t> size() const;
  [[nodiscard]] const std::optional<ClaimedChecksum>& claimed() const { return claimed_; }
  // The check that the headers name is of something else than the body.
  void set_claim_aside() { claimed_.reset(); }

  using Take = std::function<Result<void>(std::span<const std::byte>)>;
  // Gives all bytes to `take`, piece by piece, in bounded memory, and then checks them. Nothing may
  // come of them when this fails. Errors: those of `take`; IncompleteBody, RequestTimeout,
  // BadDigest, XAmzContentSHA256Mismatch, SignatureDoesNotMatch.
  [[nodiscard]] Result<Digests> receive(std::vector<Algorithm> also, const Take& take);
  // The whole as text. Errors: as receive; EntityTooLarge over `limit` bytes.
  [[nodiscard]] Result<std::string> text(std::size_t limit);

 private:
  explicit Incoming(RequestBody& wire) : wire_{wire} {}
  [[nodiscard]] Result<void> read_headers(const HttpRequest& head);
  [[nodiscard]] Result<void> unpack(const HttpRequest& head,
                                    const std::optional<aws::SignedHead>& signature);
  [[nodiscard]] Result<void> check(const Digests& digests);

  RequestBody& wire_;
  std::optional<AwsChunkedBody> chunks_ = {};
  std::optional<ClaimedChecksum> claimed_ = {};
  std::string md5_ = {};         // raw, of Content-MD5; empty: none
  std::string sha256_hex_ = {};  // of x-amz-content-sha256; empty: none
};

}  // namespace runctl::emulator::s3
