// Owners as S3 names them.
#pragma once

#include <string_view>

#include "aws/s3/common.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::emulator::s3 {

// A canonical user id is 64 hex digits, the same for the same account.
[[nodiscard]] inline aws::s3::Owner owner_of(std::string_view account) {
  return {.id = hex(std::string_view{sha256(account)})};
}

}  // namespace runctl::emulator::s3
