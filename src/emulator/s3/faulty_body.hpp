// A request's body with what a fault makes of it on its way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "emulator/fault.hpp"
#include "emulator/server/request_body.hpp"
#include "io/clock.hpp"

namespace runctl::emulator::s3 {

class FaultyBody final : public RequestBody {
 public:
  FaultyBody(RequestBody& whole, const Strike& strike, Clock& clock)
      : whole_{whole}, strike_{strike}, clock_{clock} {}

  [[nodiscard]] std::optional<std::uint64_t> size() const override { return whole_.size(); }
  // Errors: those of the whole body; unavailable where the connection is to be reset, in its
  // middle.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  RequestBody& whole_;
  const Strike& strike_;
  Clock& clock_;
  std::uint64_t done_ = 0;
};

}  // namespace runctl::emulator::s3
