#include "training/code_reader.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/hasher.hpp"
#include "io/random_access_file.hpp"

namespace runctl::training {
namespace {

constexpr std::size_t small_file = std::size_t{512} << 10U;
constexpr std::size_t piece_size = std::size_t{1} << 20U;
constexpr std::size_t ahead = 128;
// One more than a file system's queue needs is no faster, and the compressor wants a core too.
constexpr std::size_t thread_count = 2;

struct Content {
  std::string bytes = {};
  std::string hash = {};
  FileStamp stamp = {};
  bool is_large = false;  // it was not read
};

FileStamp stamp_of(const FileState& state) {
  return {.size = state.size,
          .modified_ns = state.modified_ns,
          .changed_ns = state.changed_ns,
          .inode = state.inode};
}

// One that is written to while it is read has a stamp that is not to be trusted: none.
FileStamp settled(const FileState& before, const FileState& after, std::uint64_t size) {
  FileStamp stamp = stamp_of(before);
  if (before != after || before.size != size) stamp.changed_ns = 0;
  stamp.size = size;
  return stamp;
}

Result<Content> read_small(const std::filesystem::path& path, std::vector<std::byte>& buffer) {
  RUNCTL_TRY_LET(const auto file, RandomAccessFile::open(path, AtLink::refuse));
  RUNCTL_TRY_LET(const FileState before, file.state());
  if (before.size > small_file) return Content{.is_large = true};
  buffer.resize(small_file + 1);
  RUNCTL_TRY_LET(const std::size_t size, file.read_at(0, buffer));
  if (size > small_file) return Content{.is_large = true};  // it has grown
  RUNCTL_TRY_LET(const FileState after, file.state());
  Content content{.bytes = {reinterpret_cast<const char*>(buffer.data()), size},
                  .stamp = settled(before, after, size)};
  content.hash = sha256(content.bytes);
  return content;
}

// Hands out places in order, and takes what was read there.
class Queue {
 public:
  Queue(const CodeTree& tree, const std::vector<std::size_t>& which)
      : tree_{tree}, which_{which}, slots_(std::min(ahead, which.size())) {}

  // Reads until all have been, or it is stopped.
  void work(const std::stop_token& stop) {
    std::vector<std::byte> buffer;
    while (true) {
      std::size_t place = 0;
      {
        std::unique_lock lock{mutex_};
        const bool room = room_.wait(
            lock, stop, [&] { return next_ == which_.size() || next_ < taken_ + slots_.size(); });
        if (!room || next_ == which_.size()) return;
        place = next_++;
      }
      const CodeEntry& entry = tree_.entries[which_[place]];
      Result<Content> content = Content{};
      if (entry.kind != EntryKind::link) content = read_small(tree_.root.path / entry.path, buffer);
      const std::scoped_lock lock{mutex_};
      slots_[place % slots_.size()] = std::move(content);
      ready_.notify_one();
    }
  }

  // The next, in order. Nothing when it is stopped.
  std::optional<Result<Content>> take(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    auto& slot = slots_[taken_ % slots_.size()];
    if (!ready_.wait(lock, stop, [&] { return slot.has_value(); })) return std::nullopt;
    auto content = std::exchange(slot, std::nullopt);
    ++taken_;
    room_.notify_one();
    return content;
  }

 private:
  const CodeTree& tree_;
  const std::vector<std::size_t>& which_;
  std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any ready_;
  std::vector<std::optional<Result<Content>>> slots_;
  std::size_t next_ = 0;
  std::size_t taken_ = 0;
};

// Exactly as many bytes as it had when it was opened.
Result<void> read_large(CodeEntry& entry, const std::filesystem::path& path,
                        const ContentSink& sink, const std::stop_token& stop) {
  RUNCTL_TRY_LET(const auto file, RandomAccessFile::open(path, AtLink::refuse));
  RUNCTL_TRY_LET(const FileState before, file.state());
  if (sink.begin) RUNCTL_TRY(sink.begin(entry, before.size));
  Hasher hasher{HashKind::sha256};
  std::vector<std::byte> buffer(piece_size);
  for (std::uint64_t offset = 0; offset < before.size;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped while code was read");
    const auto wanted = std::min<std::uint64_t>(piece_size, before.size - offset);
    const auto piece = std::span{buffer}.first(static_cast<std::size_t>(wanted));
    RUNCTL_TRY_LET(const std::size_t got, file.read_at(offset, piece));
    if (got == 0) {
      auto cut = fail(Errc::precondition,
                      fmt::format("{} became shorter while it was read", path.string()));
      cut.error().hint =
          "Run the command again. What a program goes on writing belongs into .runctlignore.";
      return cut;
    }
    hasher.update(piece.first(got));
    if (sink.write) RUNCTL_TRY(sink.write(piece.first(got)));
    offset += got;
  }
  RUNCTL_TRY_LET(const FileState after, file.state());
  entry.hash = hasher.digest();
  entry.stamp = settled(before, after, before.size);
  return {};
}

std::unexpected<Error> not_readable(Error error) {
  if (error.code == Errc::denied) {
    error.hint = "Make it readable, or leave it out by a line in .runctlignore.";
  }
  return std::unexpected{std::move(error)};
}

class Reading {
 public:
  Reading(CodeTree& tree, const ContentSink& sink, const std::stop_token& stop)
      : tree_{tree}, sink_{sink}, stop_{stop} {}

  Result<void> take(std::size_t index, Result<Content> content) {
    CodeEntry& entry = tree_.entries[index];
    const auto path = tree_.root.path / entry.path;
    if (content && content->is_large) {
      const auto read = read_large(entry, path, sink_, stop_);
      if (!read && read.error().code == Errc::not_found) return lost(index);
      if (!read) return not_readable(read.error());
      return {};
    }
    if (!content && content.error().code == Errc::not_found) return lost(index);
    if (!content) return not_readable(content.error());
    if (entry.kind == EntryKind::link) return sink_.begin ? sink_.begin(entry, 0) : Result<void>{};
    entry.hash = std::move(content->hash);
    entry.stamp = content->stamp;
    if (sink_.begin) RUNCTL_TRY(sink_.begin(entry, content->bytes.size()));
    if (!sink_.write) return {};
    return sink_.write(std::as_bytes(std::span{content->bytes.data(), content->bytes.size()}));
  }

  void drop_lost() {
    std::ranges::sort(lost_, std::ranges::greater{});
    for (const std::size_t index : lost_) {
      tree_.entries.erase(tree_.entries.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }

 private:
  Result<void> lost(std::size_t index) {
    lost_.push_back(index);
    return {};
  }

  CodeTree& tree_;
  const ContentSink& sink_;
  const std::stop_token& stop_;
  std::vector<std::size_t> lost_;
};

}  // namespace

Result<void> read_entries(CodeTree& tree, const std::vector<std::size_t>& which,
                          const ContentSink& sink, const std::stop_token& stop) {
  if (which.empty()) return {};
  Queue queue{tree, which};
  Reading reading{tree, sink, stop};
  std::array<std::jthread, thread_count> threads;
  for (auto& thread : threads) {
    thread = std::jthread{[&queue](const std::stop_token& ended) { queue.work(ended); }};
  }
  for (const std::size_t index : which) {
    auto content = queue.take(stop);
    if (!content) return fail(Errc::cancelled, "stopped while code was read");
    RUNCTL_TRY(reading.take(index, *std::move(content)));
  }
  for (auto& thread : threads) thread.join();
  reading.drop_lost();
  return {};
}

}  // namespace runctl::training
