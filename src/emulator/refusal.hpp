// Refusals in AWS's own words.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace runctl::emulator {

// An error that goes to the client as it is: `code` and `message` are AWS's.
[[nodiscard]] inline std::unexpected<Error> refuse(std::string_view code, std::string message,
                                                   int http_status = 400) {
  Error error{.code = Errc::invalid_argument, .message = std::move(message)};
  error.remote = RemoteFault{.http_status = http_status, .code = std::string{code}};
  return std::unexpected{std::move(error)};
}

}  // namespace runctl::emulator
