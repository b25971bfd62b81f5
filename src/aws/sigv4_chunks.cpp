#include "aws/sigv4_chunks.hpp"

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws {

ChunkSignatures::ChunkSignatures(const Secret& secret, const SignedHead& head)
    : key_{signing_key_v4(secret, head.identity.scope, head.date)},
      date_{head.date},
      scope_{credential_scope(head.identity.scope, head.date)},
      previous_{head.signature} {}

std::string ChunkSignatures::next(std::string_view chunk_hash) {
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", date_, scope_, previous_,
                  hex(std::string_view{sha256("")}), chunk_hash);
  previous_ = hex(std::string_view{hmac_sha256(key_.reveal(), to_sign)});
  return previous_;
}

std::string ChunkSignatures::trailer(std::string_view lines) {
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", date_, scope_,
                                          previous_, hex(std::string_view{sha256(lines)}));
  return hex(std::string_view{hmac_sha256(key_.reveal(), to_sign)});
}

}  // namespace runctl::aws
