// Bodies on their way, and what is computed of them meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/crc.hpp"
#include "base/result.hpp"
#include "io/http_transport.hpp"

namespace runctl::aws::s3 {

// "x-amz-checksum-crc64nvme".
[[nodiscard]] std::string_view checksum_header(CrcKind kind);
// "CRC64NVME" of x-amz-checksum-algorithm; nothing for what is not computed here.
[[nodiscard]] std::optional<CrcKind> checksum_kind(std::string_view algorithm);

// Reads a source once, for what must be known before it is sent. Errors: those of the source;
// precondition when it ends early.
[[nodiscard]] Result<std::uint64_t> crc_of(BodySource& source, CrcKind kind);
[[nodiscard]] Result<std::string> sha256_of(BodySource& source);  // 32 raw bytes

// A body followed by its check, in the encoding aws-chunked: one chunk, the end, the trailer. The
// check is computed while the body is read. Source: "Signature calculations for the Authorization
// header: transferring payload in multiple chunks with trailing headers" in the Amazon S3 API
// Reference, for STREAMING-UNSIGNED-PAYLOAD-TRAILER.
class TrailedSource final : public BodySource {
 public:
  TrailedSource(BodySource& body, CrcKind kind);

  [[nodiscard]] std::uint64_t size() const override;
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override;

  // Of the body that was sent last, once all of it was.
  [[nodiscard]] std::uint64_t value() const { return crc_.value(); }

 private:
  [[nodiscard]] Result<std::size_t> read_piece(std::uint64_t offset, std::span<std::byte> into);

  BodySource& body_;
  Crc crc_;
  std::string head_;  // "1000\r\n"
  std::string tail_;  // "\r\n0\r\nx-amz-checksum-…:…\r\n\r\n", once the check is known
  std::uint64_t body_size_;
};

// Compares a body with the check in its answer's head, where there is one of the whole body that
// can be computed here: no check of parts' checks, and no part of an object.
class CheckedSink final : public BodySink {
 public:
  explicit CheckedSink(BodySink& sink) : sink_{sink} {}

  [[nodiscard]] Result<void> begin(const HttpResponse& head) override;
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes) override;

  // Errors: corrupt when the body that came is not the one that the check is of.
  [[nodiscard]] Result<void> verify() const;

 private:
  BodySink& sink_;
  std::optional<Crc> crc_;
  std::uint64_t expected_ = 0;
};

}  // namespace runctl::aws::s3
