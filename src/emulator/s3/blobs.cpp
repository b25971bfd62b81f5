#include "emulator/s3/blobs.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace runctl::emulator::s3 {
namespace {

namespace fs = std::filesystem;

// So that no directory holds more names than a person, or an old filesystem, can bear.
constexpr unsigned directories = 256;
constexpr std::size_t piece_size = std::size_t{256} << 10U;

std::optional<std::uint64_t> number_of(const fs::path& name) {
  const std::string text = name.string();
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> copy_bytes(int from, int to, std::uint64_t left, const fs::path& path) {
  while (left > 0) {
    const ssize_t copied =
        ::copy_file_range(from, nullptr, to, nullptr, static_cast<std::size_t>(left), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0) return fail_errno(errno, "copy", path);
    if (copied == 0) {
      return fail(Errc::corrupt, fmt::format("{} is shorter than it should be", path.string()));
    }
    left -= static_cast<std::uint64_t>(copied);
  }
  return {};
}

}  // namespace

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : blobs_{std::exchange(other.blobs_, nullptr)},
      id_{other.id_},
      size_{other.size_},
      file_{std::move(other.file_)} {}

BlobWriter::~BlobWriter() {
  if (blobs_ != nullptr && file_.is_open()) blobs_->unlink(id_);
}

Result<void> BlobWriter::write(std::span<const std::byte> bytes) {
  if (!file_.is_open() && !bytes.empty()) {
    RUNCTL_TRY_LET(file_, blobs_->make_file(id_));
  }
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write", blobs_->path_of(id_));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

PinnedSegments::~PinnedSegments() { blobs_->unpin(segments_); }

Result<std::unique_ptr<Blobs>> Blobs::open(fs::path directory,
                                           const std::set<std::uint64_t>& in_use) {
  std::unique_ptr<Blobs> blobs{new Blobs{std::move(directory)}};
  for (unsigned i = 0; i < directories; ++i) {
    std::error_code error;
    const fs::path sub = blobs->directory_ / fmt::format("{:02x}", i);
    fs::create_directories(sub, error);
    if (error) return fail_errno(error.value(), "create", sub);
  }
  RUNCTL_TRY(blobs->sweep(in_use));
  return blobs;
}

Result<void> Blobs::sweep(const std::set<std::uint64_t>& in_use) {
  if (!in_use.empty()) next_ = *in_use.rbegin() + 1;
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator{directory_, error};
       !error && at != fs::recursive_directory_iterator{}; at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    const auto number = number_of(at->path().filename());
    if (!number || in_use.contains(*number)) continue;
    next_ = std::max(next_, *number + 1);
    fs::remove(at->path(), error);
  }
  if (error) return fail_errno(error.value(), "clear", directory_);
  return {};
}

fs::path Blobs::path_of(std::uint64_t blob) const {
  return directory_ / fmt::format("{:02x}/{:016x}", blob % directories, blob);
}

std::uint64_t Blobs::next_number() {
  const std::lock_guard lock{mutex_};
  return next_++;
}

BlobWriter Blobs::create() { return {*this, next_number()}; }

Result<UniqueFd> Blobs::make_file(std::uint64_t blob) const {
  UniqueFd file{::open(path_of(blob).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file.is_open()) return fail_errno(errno, "create", path_of(blob));
  return file;
}

Result<UniqueFd> Blobs::read(std::uint64_t blob) const {
  UniqueFd file{::open(path_of(blob).c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return fail_errno(errno, "open", path_of(blob));
  return file;
}

std::shared_ptr<PinnedSegments> Blobs::pin(const std::vector<Segment>& segments) {
  const std::lock_guard lock{mutex_};
  for (const Segment& segment : segments) ++pins_[segment.blob];
  return std::make_shared<PinnedSegments>(*this, segments);
}

void Blobs::unpin(std::span<const Segment> segments) {
  std::vector<std::uint64_t> gone;
  {
    const std::lock_guard lock{mutex_};
    for (const Segment& segment : segments) {
      const auto at = pins_.find(segment.blob);
      if (--at->second > 0) continue;
      pins_.erase(at);
      if (doomed_.erase(segment.blob) > 0) gone.push_back(segment.blob);
    }
  }
  for (const std::uint64_t blob : gone) unlink(blob);
}

void Blobs::remove(std::span<const Segment> segments) {
  for (const Segment& segment : segments) {
    if (segment.blob == 0) continue;
    {
      const std::lock_guard lock{mutex_};
      if (pins_.contains(segment.blob)) {
        doomed_.insert(segment.blob);
        continue;
      }
    }
    unlink(segment.blob);
  }
}

// A file that cannot be removed is one that nobody refers to: the next start tries again.
void Blobs::unlink(std::uint64_t blob) const { ::unlink(path_of(blob).c_str()); }

Result<Segment> Blobs::duplicate(const Segment& segment) {
  if (segment.blob == 0) return segment;
  const std::uint64_t number = next_number();
  const fs::path from = path_of(segment.blob);
  const fs::path to = path_of(number);
  // Files are never changed, so two names of one are as good as two files.
  if (::link(from.c_str(), to.c_str()) == 0) return Segment{.blob = number, .size = segment.size};
  RUNCTL_TRY_LET(const UniqueFd source, read(segment.blob));
  RUNCTL_TRY_LET(const UniqueFd target, make_file(number));
  if (auto copied = copy_bytes(source.get(), target.get(), segment.size, from); !copied) {
    unlink(number);
    return std::unexpected{std::move(copied).error()};
  }
  return Segment{.blob = number, .size = segment.size};
}

namespace {

class SegmentsBody final : public ReplyBody {
 public:
  SegmentsBody(std::shared_ptr<PinnedSegments> segments, std::uint64_t offset, std::uint64_t length)
      : segments_{std::move(segments)}, skip_{offset}, size_{length}, left_{length} {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  [[nodiscard]] Result<std::optional<FilePiece>> next() override {
    const auto& all = segments_->segments();
    while (at_ < all.size() && skip_ >= all[at_].size) skip_ -= all[at_++].size;
    if (left_ == 0 || at_ == all.size()) return std::nullopt;
    FilePiece piece{.offset = skip_, .length = std::min(left_, all[at_].size - skip_)};
    RUNCTL_TRY_LET(piece.file, segments_->blobs().read(all[at_].blob));
    ++at_;
    skip_ = 0;
    left_ -= piece.length;
    return piece;
  }

 private:
  std::shared_ptr<PinnedSegments> segments_;
  std::size_t at_ = 0;
  std::uint64_t skip_;  // in the segment at `at_`
  std::uint64_t size_;
  std::uint64_t left_;
};

}  // namespace

std::shared_ptr<ReplyBody> body_of(std::shared_ptr<PinnedSegments> segments, std::uint64_t offset,
                                   std::uint64_t length) {
  return std::make_shared<SegmentsBody>(std::move(segments), offset, length);
}

Result<void> read_all(ReplyBody& body,
                      const std::function<Result<void>(std::span<const std::byte>)>& take) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(
      std::min<std::uint64_t>(piece_size, std::max<std::uint64_t>(body.size(), 1))));
  while (true) {
    RUNCTL_TRY_LET(const auto piece, body.next());
    if (!piece) return {};
    std::uint64_t done = 0;
    while (done < piece->length) {
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), piece->length - done));
      const ssize_t got = ::pread(piece->file.get(), buffer.data(), wanted,
                                  static_cast<off_t>(piece->offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(errno, "read", "an object's file");
      if (got == 0) return fail(Errc::corrupt, "an object's file is shorter than it should be");
      RUNCTL_TRY(take(std::span{buffer}.first(static_cast<std::size_t>(got))));
      done += static_cast<std::uint64_t>(got);
    }
  }
}

}  // namespace runctl::emulator::s3
