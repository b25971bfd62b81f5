// Bodies in memory, for who has no connection: LoopbackTransport and tests.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/blobs.hpp"
#include "emulator/server/request_body.hpp"

namespace runctl::emulator::s3 {

// `text` must outlive it. `most_at_once` bytes come at a time, for tests of who reads it.
class MemoryBody final : public RequestBody {
 public:
  explicit MemoryBody(std::string_view text, std::size_t most_at_once = SIZE_MAX)
      : text_{text}, size_{text.size()}, most_{most_at_once} {}

  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = std::min({into.size(), text_.size(), most_});
    if (count > 0) std::memcpy(into.data(), text_.data(), count);
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
  std::uint64_t size_;
  std::size_t most_;
};

// The reply with its long body read into memory, and flipped where it has to be. One whose body
// cannot be read ends in its middle.
[[nodiscard]] inline Reply in_memory(Reply reply) {
  if (reply.body) {
    std::string text;
    const auto read = read_all(*reply.body, [&](std::span<const std::byte> piece) -> Result<void> {
      text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      return {};
    });
    reply.body.reset();
    reply.response.body = std::move(text);
    if (!read) reply.delivery = std::max(reply.delivery, Delivery::half);
  }
  if (reply.flipped_byte && *reply.flipped_byte < reply.response.body.size()) {
    reply.response.body[static_cast<std::size_t>(*reply.flipped_byte)] ^= 1;
  }
  return reply;
}

}  // namespace runctl::emulator::s3
