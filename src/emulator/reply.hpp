// What a client gets to see of an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "io/file.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

enum class Delivery : std::uint8_t {
  whole,
  half,   // the connection ends in the middle of the body
  reset,  // the same, with a reset in place of an orderly end; without a body nothing arrives
  none,   // the connection ends without an answer
};

struct FilePiece {
  UniqueFd file = {};
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// A body that is too long for memory: pieces of files, one after the other.
class ReplyBody {
 public:
  ReplyBody() = default;
  ReplyBody(const ReplyBody&) = delete;
  ReplyBody& operator=(const ReplyBody&) = delete;
  ReplyBody(ReplyBody&&) = delete;
  ReplyBody& operator=(ReplyBody&&) = delete;
  virtual ~ReplyBody() = default;

  // Of all pieces together, in bytes.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // The next piece; nothing after the last. Errors: as of opening a file; the connection then ends.
  [[nodiscard]] virtual Result<std::optional<FilePiece>> next() = 0;
};

struct Reply {
  Reply(HttpResponse whole) : response{std::move(whole)} {}
  Reply(HttpResponse sent, Delivery arrives) : response{std::move(sent)}, delivery{arrives} {}
  Reply(HttpResponse head, std::shared_ptr<ReplyBody> long_body)
      : response{std::move(head)}, body{std::move(long_body)} {}

  // A content-length that it has stays, for answers to HEAD; all others are given theirs.
  HttpResponse response;
  std::shared_ptr<ReplyBody> body = {};  // in the place of `response.body`
  Delivery delivery = Delivery::whole;
  // What goes wrong on the way: the lowest bit of the byte there is turned.
  std::optional<std::uint64_t> flipped_byte = {};
  std::optional<std::uint64_t> bytes_per_second = {};
};

}  // namespace runctl::emulator
