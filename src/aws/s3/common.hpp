// What several of S3's structures have in common.
#pragma once

#include <string>

#include "aws/shape.hpp"

namespace runctl::aws::s3 {

struct Owner {
  std::string display_name = {};
  std::string id = {};
  static constexpr auto shape =
      describe("Owner", field("DisplayName", &Owner::display_name), field("ID", &Owner::id));
};

struct Initiator {
  std::string id = {};
  std::string display_name = {};
  static constexpr auto shape = describe("Initiator", field("ID", &Initiator::id),
                                         field("DisplayName", &Initiator::display_name));
};

struct CommonPrefix {
  std::string prefix = {};
  static constexpr auto shape = describe("CommonPrefix", field("Prefix", &CommonPrefix::prefix));
};

// The answer of an operation that has none.
struct Nothing {
  static constexpr auto shape = describe("Nothing");
};

}  // namespace runctl::aws::s3
