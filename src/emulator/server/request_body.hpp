// The body of a request, as it comes in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"

namespace runctl::emulator {

class RequestBody {
 public:
  RequestBody() = default;
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  RequestBody(RequestBody&&) = delete;
  RequestBody& operator=(RequestBody&&) = delete;
  virtual ~RequestBody() = default;

  // In bytes; nothing when only its end will tell.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const = 0;

  // Waits for the next bytes and returns how many there are: 0 at the end, and ever after.
  // Errors: unavailable when the client has gone or sends nothing for too long; invalid_argument
  // when what it sends is not the body that was announced.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
};

}  // namespace runctl::emulator
