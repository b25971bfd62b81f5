#include "transfer/upload_file.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"

namespace runctl::transfer {
namespace {

// The kernel stamps files with the time of its last tick: at most 10 ms ago (CONFIG_HZ=100).
constexpr std::chrono::milliseconds clock_tick{20};
constexpr std::size_t hash_buffer = std::size_t{128} << 10U;

std::unexpected<Error> fail_changed(const std::filesystem::path& path, std::string_view how) {
  auto failure =
      fail(Errc::precondition, fmt::format("{} {} while it was uploaded", path.string(), how));
  failure.error().hint = "nothing was put in its place; upload it again when nobody writes to it";
  return failure;
}

std::string size_change(std::string_view verb, std::uint64_t from, std::uint64_t to) {
  return fmt::format("{} from {} to {} bytes", verb, from, to);
}

Result<void> wait_for_tick(const FileState& state, Clock& clock, const std::stop_token& stop) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock.now().time_since_epoch());
  const std::chrono::nanoseconds age = now - std::chrono::nanoseconds{state.changed_ns};
  // A change in the future: the clock was set back, and says nothing.
  if (age < -clock_tick || age >= clock_tick) return {};
  return clock.sleep_until(clock.ticks() + clock_tick, stop);
}

}  // namespace

Result<UploadFile> UploadFile::open(const Upload& job, Clock& clock, const std::stop_token& stop) {
  const AtLink at_link = job.follow == FollowSymlink::yes ? AtLink::follow : AtLink::refuse;
  RUNCTL_TRY_LET(RandomAccessFile file, RandomAccessFile::open_below(job.root, job.name, at_link));
  RUNCTL_TRY_LET(const FileState first, file.state());
  RUNCTL_TRY(wait_for_tick(first, clock, stop));
  RUNCTL_TRY_LET(const FileState state, file.state());
  return UploadFile{std::move(file), job, at_link, state};
}

Result<void> UploadFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  RUNCTL_TRY_LET(const std::size_t got, file_.read_at(offset, into));
  if (got == into.size()) return {};
  return fail_changed(file_.path(), size_change("shrank", state_.size, offset + got));
}

Result<void> UploadFile::check_unchanged() const {
  RUNCTL_TRY_LET(const FileState now, file_.state());
  if (now.size > state_.size) {
    return fail_changed(file_.path(), size_change("grew", state_.size, now.size));
  }
  if (now.size < state_.size) {
    return fail_changed(file_.path(), size_change("shrank", state_.size, now.size));
  }
  auto named = state_below(root_, name_, at_link_);
  if (!named && named.error().code == Errc::not_found) {
    return fail_changed(file_.path(), "was removed");
  }
  // A directory of it is a link now: errors of state_below().
  if (!named && named.error().code == Errc::invalid_argument) {
    return fail_changed(file_.path(), "was replaced by another file");
  }
  if (!named) return std::unexpected{std::move(named).error()};
  if (named->inode != now.inode || named->device != now.device) {
    return fail_changed(file_.path(), "was replaced by another file");
  }
  if (now != state_) return fail_changed(file_.path(), "was changed");
  return {};
}

Result<std::uint64_t> UploadFile::crc_of(const Range& range, CrcKind kind,
                                         const std::stop_token& stop) const {
  Crc crc{kind};
  std::vector<std::byte> buffer(std::min<std::uint64_t>(hash_buffer, range.length));
  for (std::uint64_t at = 0; at < range.length; at += buffer.size()) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    const std::span piece =
        std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), range.length - at));
    RUNCTL_TRY(read(range.first + at, piece));
    crc.update(piece);
  }
  return crc.value();
}

Result<std::size_t> CountedSource::read(std::uint64_t offset, std::span<std::byte> into) {
  if (offset == 0) {
    take_back();
    crc_ = Crc{run_.options.checksum};
  }
  into = into.first(std::min<std::uint64_t>(into.size(), size_ - offset));
  for (std::size_t filled = 0; filled < into.size();) {
    const std::span piece = into.subspan(
        filled, std::min<std::uint64_t>(run_.bandwidth.portion(), into.size() - filled));
    RUNCTL_TRY(run_.bandwidth.take(piece.size(), stop_));
    RUNCTL_TRY(fetch(offset + filled, piece));
    filled += piece.size();
  }
  if (offset == at_) {
    crc_.update(into);
    at_ += into.size();
    run_.progress.bytes_done.fetch_add(into.size(), std::memory_order_relaxed);
  }
  tally_.moved.fetch_add(into.size(), std::memory_order_relaxed);
  run_.progress.moved.fetch_add(into.size(), std::memory_order_relaxed);
  run_.meter.count(into.size());
  if (offset + into.size() == size_) RUNCTL_TRY(check());
  return into.size();
}

void CountedSource::take_back() {
  run_.progress.bytes_done.fetch_sub(at_, std::memory_order_relaxed);
  at_ = 0;
}

Result<void> BufferSource::fetch(std::uint64_t offset, std::span<std::byte> into) {
  std::ranges::copy(bytes_.subspan(offset, into.size()), into.begin());
  return {};
}

}  // namespace runctl::transfer
