// Bodies in S3's own chunks, which carry signatures, and checks behind the last one.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4_chunks.hpp"
#include "base/hasher.hpp"
#include "base/result.hpp"
#include "emulator/server/request_body.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator::s3 {

struct ChunkedForm {
  std::uint64_t length = 0;  // x-amz-decoded-content-length: of the object
  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD and its -TRAILER; without, chunks are not signed.
  std::optional<aws::ChunkSignatures> signatures = {};
  bool has_trailer = false;
};

// What is in the chunks of `wire`. A signature that is wrong is found at the end of its chunk, when
// the chunk's bytes have been given out: nothing may come of them before `read` has returned 0.
class AwsChunkedBody final : public RequestBody {
 public:
  AwsChunkedBody(RequestBody& wire, ChunkedForm form);

  [[nodiscard]] std::optional<std::uint64_t> size() const override { return form_.length; }
  // Errors: those of `wire`; invalid_argument with S3's code: IncompleteBody,
  // SignatureDoesNotMatch, MalformedTrailerError.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into) override;

  // What stood behind the last chunk, names in lower case. Complete when `read` has returned 0.
  [[nodiscard]] const std::vector<HttpHeader>& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t { size, data, end_of_data, over };

  [[nodiscard]] Result<void> read_size();
  [[nodiscard]] Result<std::size_t> read_data(std::span<std::byte> into);
  [[nodiscard]] Result<void> end_chunk();
  [[nodiscard]] Result<void> read_trailers();
  [[nodiscard]] Result<void> finish();
  // Without its line end; nothing at the end of the body.
  [[nodiscard]] Result<std::optional<std::string>> read_line();
  [[nodiscard]] Result<bool> fill();

  RequestBody& wire_;
  ChunkedForm form_;
  State state_ = State::size;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t left_ = 0;  // of the chunk
  std::uint64_t given_ = 0;
  std::string signature_;  // that the chunk claims
  Hasher hasher_{HashKind::sha256};
  std::vector<HttpHeader> trailers_;
};

}  // namespace runctl::emulator::s3
