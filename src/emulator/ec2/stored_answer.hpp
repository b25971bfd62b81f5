// Answers kept as text, to be given again when a client token comes back.
#pragma once

#include <string>
#include <string_view>

#include "aws/codec.hpp"
#include "base/result.hpp"

namespace runctl::emulator::ec2 {

// The JSON codec serves for every described structure, whatever protocol its service speaks.
inline constexpr aws::Service stored_form{
    .id = "stored", .endpoint_key = "", .api_version = "", .protocol = aws::Protocol::json};
inline constexpr aws::OperationInfo stored_answer{stored_form, "stored answer"};

template <aws::Described T>
[[nodiscard]] std::string to_stored(const T& answer) {
  return aws::write_request(stored_answer, aws::writing(answer));
}

template <aws::Described T>
[[nodiscard]] Result<T> from_stored(std::string_view text) {
  T answer{};
  RUNCTL_TRY(aws::read_response(stored_answer, text, aws::reading(answer)));
  return answer;
}

}  // namespace runctl::emulator::ec2
