// Signatures of S3's signed chunks: each is made from the one before, the first from the request's.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
// sigv4-streaming-trailers.html.
#pragma once

#include <string>
#include <string_view>

#include "aws/sigv4.hpp"
#include "base/secret.hpp"

namespace runctl::aws {

class ChunkSignatures {
 public:
  ChunkSignatures(const Secret& secret, const SignedHead& head);

  // Of the next chunk, from the SHA-256 of its bytes in hex; 64 hex digits.
  [[nodiscard]] std::string next(std::string_view chunk_hash);
  // Of what follows the last chunk: `lines` is "name:value\n" for each trailer.
  [[nodiscard]] std::string trailer(std::string_view lines);

 private:
  Secret key_;
  std::string date_;
  std::string scope_;
  std::string previous_;
};

}  // namespace runctl::aws
