#include "checkpoint/object_source.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "transfer/object_name.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::uint64_t least_request = std::uint64_t{64} << 10U;
constexpr std::uint64_t greatest_request = std::uint64_t{16} << 20U;

class ToBuffer final : public transfer::ByteSink {
 public:
  ToBuffer(std::string& buffer, std::size_t most) : buffer_{buffer}, most_{most} {}
  Result<void> begin(const transfer::ObjectFacts& facts) override {
    (void)facts;
    buffer_.clear();
    return {};
  }
  Result<void> write(std::span<const std::byte> bytes) override {
    if (bytes.size() > most_ - buffer_.size())
      return fail(Errc::unavailable, "S3 sends more than was asked for");
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

 private:
  std::string& buffer_;
  std::size_t most_;
};

}  // namespace

Result<void> ObjectSource::fetch(std::uint64_t offset, std::size_t wanted) {
  const bool goes_on = !buffer_.empty() && offset == begin_ + buffer_.size();
  std::uint64_t length = goes_on ? next_size_ : least_request;
  length = std::clamp<std::uint64_t>(std::max<std::uint64_t>(length, wanted), least_request,
                                     greatest_request);
  length = std::min(length, size_ - offset);
  next_size_ = std::min(length * 2, greatest_request);
  ToBuffer sink{buffer_, static_cast<std::size_t>(length)};
  const auto got = store_.get(
      {.source = name_, .first = offset, .length = length, .if_match = etag_}, sink, stop_);
  if (got && buffer_.size() == length) {
    begin_ = offset;
    return {};
  }
  buffer_.clear();
  if (got)
    return fail(Errc::unavailable, fmt::format("S3 sends less than was asked for of {}",
                                               transfer::printable(name_.key)));
  Error error = got.error();
  if (error.code == Errc::corrupt) error.code = Errc::unavailable;
  return std::unexpected{std::move(error)};
}

Result<std::size_t> ObjectSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_ || into.empty()) return 0;
  const bool is_here = offset >= begin_ && offset - begin_ < buffer_.size();
  if (!is_here) RUNCTL_TRY(fetch(offset, into.size()));
  const auto at = static_cast<std::size_t>(offset - begin_);
  const std::size_t size = std::min(into.size(), buffer_.size() - at);
  std::memcpy(into.data(), buffer_.data() + at, size);
  return size;
}

}  // namespace runctl::checkpoint
