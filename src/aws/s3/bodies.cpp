#include "aws/s3/bodies.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "aws/codec_rest.hpp"
#include "base/hasher.hpp"

namespace runctl::aws::s3 {
namespace {

// Fastest first. Source: "Checking object integrity" in the Amazon S3 User Guide.
constexpr std::array kinds{CrcKind::crc64nvme, CrcKind::crc32c, CrcKind::crc32};

// Small enough to stay in a core's second cache between being read and being hashed.
constexpr std::size_t piece = std::size_t{256} << 10U;

Result<void> for_each_piece(BodySource& source,
                            const std::function<void(std::span<const std::byte>)>& use) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(piece, source.size()));
  std::uint64_t done = 0;
  while (done < source.size()) {
    RUNCTL_TRY_LET(const std::size_t got, source.read(done, buffer));
    if (got == 0) {
      return fail(Errc::precondition,
                  fmt::format("what is to be sent ended {} bytes early", source.size() - done));
    }
    use(std::span{buffer}.first(got));
    done += got;
  }
  return {};
}

// What of `text` belongs at `offset` of it.
std::size_t copy_from(std::string_view text, std::uint64_t offset, std::span<std::byte> into) {
  const auto left = std::as_bytes(std::span{text}).subspan(static_cast<std::size_t>(offset));
  const std::size_t count = std::min(left.size(), into.size());
  std::ranges::copy(left.first(count), into.begin());
  return count;
}

}  // namespace

std::string_view checksum_header(CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return "x-amz-checksum-crc32";
    case CrcKind::crc32c:
      return "x-amz-checksum-crc32c";
    case CrcKind::crc64nvme:
      return "x-amz-checksum-crc64nvme";
  }
  std::unreachable();
}

std::optional<CrcKind> checksum_kind(std::string_view algorithm) {
  const auto* const found = std::ranges::find(kinds, algorithm, crc_name);
  if (found == kinds.end()) return std::nullopt;
  return *found;
}

Result<std::uint64_t> crc_of(BodySource& source, CrcKind kind) {
  Crc crc{kind};
  RUNCTL_TRY(for_each_piece(source, [&crc](auto bytes) { crc.update(bytes); }));
  return crc.value();
}

Result<std::string> sha256_of(BodySource& source) {
  Hasher hash{HashKind::sha256};
  RUNCTL_TRY(for_each_piece(source, [&hash](auto bytes) { hash.update(bytes); }));
  return hash.digest();
}

TrailedSource::TrailedSource(BodySource& body, CrcKind kind)
    : body_{body}, crc_{kind}, body_size_{body.size()} {
  if (body_size_ > 0) head_ = fmt::format("{:x}\r\n", body_size_);
}

std::uint64_t TrailedSource::size() const {
  const std::string_view end = body_size_ > 0 ? "\r\n0\r\n" : "0\r\n";
  const std::size_t trailer = checksum_header(crc_.kind()).size() + 1 +
                              crc_text(crc_.kind(), 0).size() + std::string_view{"\r\n\r\n"}.size();
  return head_.size() + body_size_ + end.size() + trailer;
}

Result<std::size_t> TrailedSource::read(std::uint64_t offset, std::span<std::byte> into) {
  if (offset == 0) {
    crc_ = Crc{crc_.kind()};
    tail_.clear();
  }
  // Head, body and trailer in one piece where they fit: each piece is a packet.
  std::size_t filled = 0;
  while (filled < into.size()) {
    RUNCTL_TRY_LET(const std::size_t got, read_piece(offset + filled, into.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<std::size_t> TrailedSource::read_piece(std::uint64_t offset, std::span<std::byte> into) {
  if (offset < head_.size()) return copy_from(head_, offset, into);
  const std::uint64_t in_body = offset - head_.size();
  if (in_body < body_size_) {
    const auto most = std::min<std::uint64_t>(into.size(), body_size_ - in_body);
    RUNCTL_TRY_LET(const std::size_t got,
                   body_.read(in_body, into.first(static_cast<std::size_t>(most))));
    crc_.update(into.first(got));
    return got;
  }
  if (tail_.empty()) {
    tail_ = fmt::format("{}{}:{}\r\n\r\n", body_size_ > 0 ? "\r\n0\r\n" : "0\r\n",
                        checksum_header(crc_.kind()), crc_text(crc_.kind(), crc_.value()));
  }
  return copy_from(tail_, in_body - body_size_, into);
}

Result<void> CheckedSink::begin(const HttpResponse& head) {
  crc_.reset();
  const bool is_whole =
      head.status == 200 && find_header(head.headers, "x-amz-checksum-type") != "COMPOSITE";
  for (const CrcKind kind : kinds) {
    const auto text = find_header(head.headers, checksum_header(kind));
    const auto value = text ? parse_crc(kind, *text) : std::nullopt;
    if (!is_whole || !value || crc_) continue;
    crc_.emplace(kind);
    expected_ = *value;
  }
  return sink_.begin(head);
}

Result<void> CheckedSink::write(std::span<const std::byte> bytes) {
  if (crc_) crc_->update(bytes);
  return sink_.write(bytes);
}

Result<void> CheckedSink::verify() const {
  if (!crc_ || crc_->value() == expected_) return {};
  return fail(
      Errc::corrupt,
      fmt::format("what came is not what was stored: its {} is {}, not {}", crc_name(crc_->kind()),
                  crc_text(crc_->kind(), crc_->value()), crc_text(crc_->kind(), expected_)));
}

}  // namespace runctl::aws::s3
