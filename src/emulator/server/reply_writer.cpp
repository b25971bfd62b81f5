#include "emulator/server/reply_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::emulator {
namespace {

constexpr std::size_t piece_size = std::size_t{64} << 10U;

// Source: RFC 9110, section 15, and RFC 6585. Clients read the number; people the words.
std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Payload Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Answer";
  }
}

std::uint64_t size_of(const Reply& reply) {
  return reply.body ? reply.body->size() : reply.response.body.size();
}

std::string head_of(const Reply& reply, const ReplyContext& context, Stays stays) {
  const HttpResponse& response = reply.response;
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
  bool has_length = response.status == 204 || response.status == 304;
  for (const HttpHeader& header : response.headers) {
    has_length = has_length || lower(header.name) == "content-length";
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", header.name, header.value);
  }
  if (!has_length) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", size_of(reply));
  }
  if (stays == Stays::no) head += "Connection: close\r\n";
  if (stays == Stays::yes && context.version < 11) head += "Connection: keep-alive\r\n";
  head += "\r\n";
  return head;
}

// The bytes of a body in their order, as far as they may go out, damaged where they have to be.
class BodyWriter {
 public:
  BodyWriter(ConnectionBytes& bytes, const Reply& reply, std::chrono::milliseconds stall,
             std::uint64_t limit)
      : bytes_{bytes},
        stall_{stall},
        left_{limit},
        flipped_{reply.flipped_byte},
        rate_{reply.bytes_per_second} {}

  // Of head and body together, as long as both are short: one packet.
  Result<void> write(std::string head, const Reply& reply) {
    if (!reply.body) return write_text(std::move(head), reply.response.body);
    bool first = true;
    while (left_ > 0) {
      RUNCTL_TRY_LET(auto piece, reply.body->next());
      if (!piece) break;
      if (first && piece->length <= piece_size && !is_special()) {
        RUNCTL_TRY(write_short(std::exchange(head, {}), *piece));
      } else {
        if (first) RUNCTL_TRY(bytes_.write(as_bytes(head), stall_, ConnectionBytes::More::yes));
        RUNCTL_TRY(write_piece(*piece));
      }
      first = false;
    }
    if (first) return bytes_.write(as_bytes(head), stall_);
    return {};
  }

 private:
  static std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span{text});
  }
  [[nodiscard]] bool is_special() const { return flipped_ || rate_; }

  Result<void> write_text(std::string head, std::string_view text) {
    text = text.substr(0, std::min<std::size_t>(text.size(), left_));
    if (!is_special()) return bytes_.write(as_bytes(head += text), stall_);
    RUNCTL_TRY(bytes_.write(as_bytes(head), stall_));
    std::vector<std::byte> copy(text.size());
    std::ranges::copy(as_bytes(text), copy.begin());
    return write_special(copy);
  }

  Result<void> write_short(std::string head, const FilePiece& piece) {
    const std::size_t before = head.size();
    const auto length = static_cast<std::size_t>(std::min(piece.length, left_));
    head.resize(before + length);
    RUNCTL_TRY(read_file_at(piece, 0, std::as_writable_bytes(std::span{head}.subspan(before))));
    left_ -= length;
    return bytes_.write(as_bytes(head), stall_);
  }

  Result<void> write_piece(const FilePiece& piece) {
    const std::uint64_t length = std::min(piece.length, left_);
    if (!is_special()) {
      left_ -= length;
      return bytes_.write_file({.file = piece.file.get(), .offset = piece.offset, .length = length},
                               stall_);
    }
    std::vector<std::byte> buffer(piece_size);
    for (std::uint64_t done = 0; done < length;) {
      const auto part = std::span{buffer}.first(
          static_cast<std::size_t>(std::min<std::uint64_t>(length - done, buffer.size())));
      RUNCTL_TRY(read_file_at(piece, done, part));
      RUNCTL_TRY(write_special(part));
      done += part.size();
    }
    left_ -= length;
    return {};
  }

  static Result<void> read_file_at(const FilePiece& piece, std::uint64_t offset,
                                   std::span<std::byte> into) {
    while (!into.empty()) {
      const ssize_t got = ::pread(piece.file.get(), into.data(), into.size(),
                                  static_cast<off_t>(piece.offset + offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(errno, "read", "a file");
      if (got == 0) return fail(Errc::corrupt, "a file is shorter than it should be");
      offset += static_cast<std::uint64_t>(got);
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

  // Turns a bit and takes its time, as told.
  Result<void> write_special(std::span<std::byte> part) {
    if (flipped_ && *flipped_ >= done_ && *flipped_ < done_ + part.size()) {
      part[static_cast<std::size_t>(*flipped_ - done_)] ^= std::byte{1};
    }
    done_ += part.size();
    if (!rate_) return bytes_.write(part, stall_);
    constexpr std::uint64_t steps = 20;  // a second
    const auto step =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(*rate_ / steps, 1, piece_size));
    while (!part.empty()) {
      const auto now = part.first(std::min(step, part.size()));
      RUNCTL_TRY(bytes_.write(now, stall_));
      bytes_.pause(std::chrono::milliseconds{1'000 * now.size() / *rate_});
      part = part.subspan(now.size());
    }
    return {};
  }

  ConnectionBytes& bytes_;
  std::chrono::milliseconds stall_;
  std::uint64_t left_;      // to go out
  std::uint64_t done_ = 0;  // of those that were looked at
  std::optional<std::uint64_t> flipped_;
  std::optional<std::uint64_t> rate_;
};

}  // namespace

Result<void> write_reply(ConnectionBytes& bytes, const Reply& reply, const ReplyContext& context,
                         Stays stays) {
  if (reply.delivery == Delivery::none) return {};
  if (reply.delivery == Delivery::reset && size_of(reply) == 0) {
    bytes.reset();
    return {};
  }
  std::string head = head_of(reply, context, stays);
  if (context.is_head) return bytes.write(std::as_bytes(std::span{head}), context.stall);
  const bool is_whole = reply.delivery == Delivery::whole;
  const std::uint64_t limit = is_whole ? size_of(reply) : size_of(reply) / 2;
  BodyWriter writer{bytes, reply, context.stall, limit};
  RUNCTL_TRY(writer.write(std::move(head), reply));
  if (reply.delivery == Delivery::reset) bytes.reset();
  return {};
}

}  // namespace runctl::emulator
