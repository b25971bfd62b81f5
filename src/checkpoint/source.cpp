#include "checkpoint/source.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace runctl::checkpoint {

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_) return 0;
  if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped while reading");
  const auto size = std::min<std::uint64_t>(into.size(), size_ - offset);
  return file_.read_at(offset, into.first(static_cast<std::size_t>(size)));
}

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= bytes_.size()) return 0;
  const auto piece = bytes_.substr(static_cast<std::size_t>(offset), into.size());
  std::memcpy(into.data(), piece.data(), piece.size());
  return piece.size();
}

Result<std::size_t> PartSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_) return 0;
  const auto size = std::min<std::uint64_t>(into.size(), size_ - offset);
  return whole_.read_at(first_ + offset, into.first(static_cast<std::size_t>(size)));
}

std::unexpected<Error> damaged(std::string message) {
  return fail(Errc::corrupt, std::move(message));
}

std::unexpected<Error> beyond(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Result<std::string> read_exactly(Source& source, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    RUNCTL_TRY_LET(
        const std::size_t got,
        source.read_at(offset + done, std::as_writable_bytes(std::span{bytes}.subspan(done))));
    if (got == 0) {
      return damaged(
          fmt::format("it ends at byte {}, within what byte {} begins", offset + done, offset));
    }
    done += got;
  }
  return bytes;
}

std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = (value << 8U) | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value = (value << 8U) | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

Result<void> Stream::fill() {
  if (offset_ >= begin_ && offset_ - begin_ < buffer_.size()) return {};
  constexpr std::size_t window = std::size_t{64} << 10U;
  buffer_.resize(window);
  begin_ = offset_;
  auto got = source_.read_at(offset_, std::as_writable_bytes(std::span{buffer_}));
  buffer_.resize(got ? *got : 0);
  if (!got) return std::unexpected{std::move(got).error()};
  if (*got == 0) return damaged(fmt::format("it ends at byte {}, and should go on", offset_));
  return {};
}

Result<std::uint8_t> Stream::byte() {
  RUNCTL_TRY(fill());
  return static_cast<std::uint8_t>(buffer_[static_cast<std::size_t>(offset_++ - begin_)]);
}

Result<std::uint64_t> Stream::number(std::size_t bytes) {
  RUNCTL_TRY_LET(const std::string text, this->text(bytes, bytes));
  return little_endian(text, 0, bytes);
}

Result<std::string> Stream::text(std::uint64_t size, std::size_t kept) {
  if (size > left()) {
    return damaged(fmt::format("{} bytes should follow byte {}, and {} do", size, offset_, left()));
  }
  std::string out;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, kept));
  const std::uint64_t end = offset_ + size;
  while (out.size() < wanted) {
    RUNCTL_TRY(fill());
    const auto at = static_cast<std::size_t>(offset_ - begin_);
    const std::size_t piece = std::min(wanted - out.size(), buffer_.size() - at);
    out.append(buffer_, at, piece);
    offset_ += piece;
  }
  offset_ = end;
  return out;
}

Result<std::string> Stream::line(std::size_t most) {
  std::string out;
  while (true) {
    RUNCTL_TRY_LET(const std::uint8_t next, byte());
    if (next == '\n') return out;
    if (out.size() == most) {
      return damaged(fmt::format("the line before byte {} has over {} bytes", offset_, most));
    }
    out += static_cast<char>(next);
  }
}

Result<void> Stream::skip(std::uint64_t size) {
  RUNCTL_TRY(text(size, 0));
  return {};
}

}  // namespace runctl::checkpoint
