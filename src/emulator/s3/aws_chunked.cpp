#include "emulator/s3/aws_chunked.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::size_t buffer_size = std::size_t{64} << 10U;
// Of a chunk's first line, or a trailer: a size, a signature and names of checks.
constexpr std::size_t line_limit = 4'096;

std::unexpected<Error> incomplete(std::string why) {
  return refuse("IncompleteBody", "The request body terminated unexpectedly: " + std::move(why));
}

std::unexpected<Error> wrong_signature() {
  return refuse("SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided "
                "for a chunk of the body.",
                403);
}

}  // namespace

AwsChunkedBody::AwsChunkedBody(RequestBody& wire, ChunkedForm form)
    : wire_{wire}, form_{std::move(form)}, buffer_(buffer_size) {}

Result<std::size_t> AwsChunkedBody::read(std::span<std::byte> into) {
  if (into.empty()) return 0;
  while (true) {
    switch (state_) {
      case State::size:
        RUNCTL_TRY(read_size());
        break;
      case State::data:
        return read_data(into);
      case State::end_of_data:
        RUNCTL_TRY(end_chunk());
        break;
      case State::over:
        return 0;
    }
  }
}

Result<bool> AwsChunkedBody::fill() {
  begin_ = 0;
  RUNCTL_TRY_LET(end_, wire_.read(buffer_));
  return end_ > 0;
}

Result<std::optional<std::string>> AwsChunkedBody::read_line() {
  std::string line;
  while (true) {
    if (begin_ == end_) {
      RUNCTL_TRY_LET(const bool more, fill());
      if (!more && line.empty()) return std::nullopt;
      if (!more) return incomplete("a line has no end");
    }
    const char c = static_cast<char>(buffer_[begin_++]);
    if (c == '\n') break;
    line += c;
    if (line.size() > line_limit) return incomplete("a line is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// "400;chunk-signature=…"
Result<void> AwsChunkedBody::read_size() {
  RUNCTL_TRY_LET(const auto line, read_line());
  if (!line) return incomplete("the last chunk is missing");
  const std::string_view text = *line;
  const std::string_view digits = split(text, ';').front();
  const auto [rest, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
  if (error != std::errc{} || rest != digits.data() + digits.size()) {
    return incomplete(fmt::format("'{}' is not the size of a chunk", digits));
  }
  constexpr std::string_view name = ";chunk-signature=";
  const auto at = text.find(name);
  signature_ = at == std::string_view::npos ? "" : std::string{text.substr(at + name.size())};
  hasher_ = Hasher{HashKind::sha256};
  if (left_ > form_.length - given_) {
    return incomplete("the chunks hold more than x-amz-decoded-content-length says");
  }
  if (left_ > 0) {
    state_ = State::data;
    return {};
  }
  return finish();
}

Result<std::size_t> AwsChunkedBody::read_data(std::span<std::byte> into) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
  std::size_t got = 0;
  if (begin_ < end_) {
    got = std::min(wanted, end_ - begin_);
    std::memcpy(into.data(), buffer_.data() + begin_, got);
    begin_ += got;
  } else {
    RUNCTL_TRY_LET(got, wire_.read(into.first(wanted)));
    if (got == 0) return incomplete("it ends in the middle of a chunk");
  }
  if (form_.signatures) hasher_.update(into.first(got));
  left_ -= got;
  given_ += got;
  if (left_ == 0) state_ = State::end_of_data;
  return got;
}

Result<void> AwsChunkedBody::end_chunk() {
  RUNCTL_TRY_LET(const auto line, read_line());
  if (!line || !line->empty()) return incomplete("a chunk is not as long as it says");
  if (form_.signatures) {
    const std::string expected = form_.signatures->next(hex(std::string_view{hasher_.digest()}));
    if (!equal_in_constant_time(expected, signature_)) return wrong_signature();
  }
  state_ = State::size;
  return {};
}

Result<void> AwsChunkedBody::finish() {
  if (given_ < form_.length) {
    return incomplete("the chunks hold less than x-amz-decoded-content-length says");
  }
  if (form_.signatures) {
    const std::string expected = form_.signatures->next(hex(std::string_view{sha256("")}));
    if (!equal_in_constant_time(expected, signature_)) return wrong_signature();
  }
  RUNCTL_TRY(read_trailers());
  state_ = State::over;
  return {};
}

Result<void> AwsChunkedBody::read_trailers() {
  std::string lines;
  std::string signature;
  while (true) {
    RUNCTL_TRY_LET(const auto line, read_line());
    if (!line || line->empty()) break;
    const auto colon = line->find(':');
    if (colon == std::string::npos || !form_.has_trailer) {
      return refuse("MalformedTrailerError",
                    "The request contained trailing data that was not well-formed or did not "
                    "conform to our published schema.");
    }
    std::string name = lower(trim(std::string_view{*line}.substr(0, colon)));
    std::string value{trim(std::string_view{*line}.substr(colon + 1))};
    if (name == "x-amz-trailer-signature") {
      signature = std::move(value);
      continue;
    }
    lines += fmt::format("{}:{}\n", name, value);
    trailers_.push_back({.name = std::move(name), .value = std::move(value)});
  }
  if (!form_.signatures || !form_.has_trailer) return {};
  return equal_in_constant_time(form_.signatures->trailer(lines), signature)
             ? Result<void>{}
             : Result<void>{wrong_signature()};
}

}  // namespace runctl::emulator::s3
