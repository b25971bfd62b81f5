#include "transfer/partial_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::transfer {
namespace {

constexpr std::string_view prefix = ".runctl-part-";
constexpr std::size_t greatest_note = std::size_t{16} << 20U;
constexpr std::size_t buffer_size = std::size_t{256} << 10U;

std::string head_of(const PartialNote& note) {
  return runctl::to_text(boost::json::object{{"version", 2},
                                             {"etag", note.etag},
                                             {"version_id", note.version_id},
                                             {"size", std::to_string(note.size)},
                                             {"checksum", crc_name(note.kind)},
                                             {"period", std::to_string(note.period)}}) +
         "\n";
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct NotedRange {
  Range range = {};
  std::uint64_t crc = 0;
};

// "first length crc", the last in hex.
std::optional<NotedRange> read_line(std::string_view line, const PartialNote& note) {
  const auto words = split(line, ' ');
  if (words.size() != 3) return std::nullopt;
  const auto first = number(words[0], 10);
  const auto length = number(words[1], 10);
  const auto crc = number(words[2], 16);
  if (!first || !length || !crc || *length == 0) return std::nullopt;
  if (*first > note.size || *length > note.size - *first) return std::nullopt;
  return NotedRange{.range = {.first = *first, .length = *length}, .crc = *crc};
}

// Whether the file has the bytes that were noted. What cannot be read is to be written anew.
Result<bool> is_there(const RandomAccessFile& file, CrcKind kind, const NotedRange& noted,
                      const std::stop_token& stop) {
  Crc crc{kind};
  std::vector<std::byte> buffer(std::min<std::uint64_t>(buffer_size, noted.range.length));
  for (std::uint64_t at = 0; at < noted.range.length; at += buffer.size()) {
    if (stop.stop_requested()) {
      return fail(Errc::cancelled, "stopped while what had arrived was read again");
    }
    const auto piece =
        std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), noted.range.length - at));
    const auto got = file.read_at(noted.range.first + at, piece);
    if (!got || *got != piece.size()) return false;
    crc.update(piece);
  }
  return crc.value() == noted.crc;
}

}  // namespace

bool is_partial_name(std::string_view name) { return name.starts_with(prefix); }

Result<std::shared_ptr<const Directory>> TargetDirectories::open(const std::filesystem::path& root,
                                                                 std::string_view below) {
  {
    const std::scoped_lock lock{mutex_};
    if (last_ && below_ == below && root_ == root && last_->is_there()) return last_;
  }
  RUNCTL_TRY_LET(Directory directory, Directory::make_below(root, below));
  auto shared = std::make_shared<const Directory>(std::move(directory));
  const std::scoped_lock lock{mutex_};
  root_ = root;
  below_ = below;
  last_ = shared;
  return shared;
}

Result<PartialFile::Place> PartialFile::place_of(TargetDirectories& directories,
                                                 const Download& job) {
  const std::size_t slash = job.name.rfind('/');
  Place place{.target = slash == std::string::npos ? job.name : job.name.substr(slash + 1)};
  if (place.target.empty() || place.target == "." || place.target == ".." ||
      place.target.contains('\0')) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is no file's name below {}", job.name, job.root.string()));
  }
  const std::string_view below =
      slash == std::string::npos ? std::string_view{} : std::string_view{job.name}.substr(0, slash);
  RUNCTL_TRY_LET(place.directory, directories.open(job.root, below));
  // Of the target's name only: whoever downloads to it, from wherever, meets the same lock. Hashed,
  // since the longest name allowed could not be made longer.
  place.name = fmt::format("{}{}", prefix, hex(sha256(place.target)).substr(0, 24));
  return place;
}

Result<PartialFile> PartialFile::open(TargetDirectories& directories, const Download& job) {
  RUNCTL_TRY_LET(Place place, place_of(directories, job));
  return open_named(std::move(place));
}

Result<PartialFile> PartialFile::open_whole(TargetDirectories& directories, const Download& job) {
  RUNCTL_TRY_LET(Place place, place_of(directories, job));
  // What an interrupted run has left is taken up, or it would stay.
  RUNCTL_TRY_LET(const bool left, place.directory->has(place.name));
  if (left) return open_named(std::move(place));
  RUNCTL_TRY_LET(auto file, place.directory->open_unnamed(place.target));
  if (!file) return open_named(std::move(place));
  PartialFile partial{std::move(place)};
  partial.file_ = *std::move(file);
  partial.has_name_ = false;
  partial.is_empty_ = true;
  return partial;
}

Result<PartialFile> PartialFile::open_named(Place place) {
  PartialFile partial{std::move(place)};
  const auto& [directory, target, name] = partial.place_;
  while (true) {
    RUNCTL_TRY_LET(partial.file_, directory->open(name));
    if (auto locked = partial.file_.lock(); !locked) {
      if (locked.error().code != Errc::conflict) return std::unexpected{std::move(locked).error()};
      return fail(Errc::conflict, fmt::format("another process, or another job of this one, is "
                                              "downloading to {}",
                                              (directory->path() / target).string()));
    }
    RUNCTL_TRY_LET(const bool named, directory->is_named(name, partial.file_));
    if (named) return partial;
  }
}

Result<std::optional<RangeSet>> PartialFile::found(const PartialNote& note,
                                                   const std::stop_token& stop) {
  auto read = place_.directory->read(note_name(), greatest_note);
  if (!read && read.error().code == Errc::invalid_argument) return std::nullopt;  // none of ours
  RUNCTL_TRY_LET(const auto text, std::move(read));
  const std::string head = head_of(note);
  if (!text || !text->starts_with(head)) return std::nullopt;
  RangeSet ranges{note.kind, note.period};
  std::string kept = head;
  std::string_view lines = *text;
  lines.remove_prefix(head.size());
  for (std::size_t end = lines.find('\n'); end != std::string_view::npos; end = lines.find('\n')) {
    const auto noted = read_line(lines.substr(0, end), note);
    if (!noted || ranges.overlaps(noted->range)) break;
    RUNCTL_TRY_LET(const bool there, is_there(file_, note.kind, *noted, stop));
    if (there) {
      ranges.add(noted->range, noted->crc);
      kept += lines.substr(0, end + 1);
    }
    lines.remove_prefix(end + 1);
  }
  RUNCTL_TRY_LET(note_, place_.directory->open(note_name()));
  // Without what is not there, and the line that was being written when its writer ended. Killed in
  // the middle of this, the next run fetches more again than it would have to.
  if (kept != *text) {
    RUNCTL_TRY(note_.truncate(0));
    RUNCTL_TRY(note_.write_at(0, std::as_bytes(std::span{kept})));
  }
  note_end_ = kept.size();
  return ranges;
}

Result<void> PartialFile::start(const PartialNote& note) {
  // The note goes first: a note of bytes that are gone would be believed.
  RUNCTL_TRY(place_.directory->remove(note_name()));
  RUNCTL_TRY(file_.truncate(0));
  RUNCTL_TRY_LET(note_, place_.directory->open(note_name()));
  note_end_ = 0;
  const std::string head = head_of(note);
  RUNCTL_TRY(note_.write_at(0, std::as_bytes(std::span{head})));
  note_end_ = head.size();
  return {};
}

Result<void> PartialFile::start_without_note() {
  if (std::exchange(is_empty_, false)) return {};
  if (has_name_) RUNCTL_TRY(place_.directory->remove(note_name()));
  return file_.truncate(0);
}

Result<void> PartialFile::add(const Range& range, std::uint64_t crc) {
  const std::string line = fmt::format("{} {} {:x}\n", range.first, range.length, crc);
  RUNCTL_TRY(note_.write_at(note_end_, std::as_bytes(std::span{line})));
  note_end_ += line.size();
  return {};
}

Result<void> PartialFile::give_name() {
  if (!has_name_) {
    RUNCTL_TRY_LET(has_name_, place_.directory->link(file_, place_.target));
    if (has_name_) return {};
    // What is there can only be replaced by a file that has a name.
    RUNCTL_TRY(file_.lock());
    RUNCTL_TRY_LET(has_name_, place_.directory->link(file_, place_.name));
    if (!has_name_) {
      return fail(Errc::conflict, fmt::format("another process is downloading to {}",
                                              (place_.directory->path() / place_.target).string()));
    }
  }
  return place_.directory->give_name(place_.name, place_.target);
}

Result<void> PartialFile::commit(Durable durable) {
  if (durable == Durable::yes) RUNCTL_TRY(file_.sync());
  if (auto named = give_name(); !named) {
    // Another file's name is in the way, and will be: there is nothing to go on with.
    if (named.error().code == Errc::conflict) static_cast<void>(discard());
    return named;
  }
  // Behind the name: a download that cannot get its name keeps its note, to be gone on with. A note
  // that is left without its file is found out by found().
  if (note_.is_open()) RUNCTL_TRY(place_.directory->remove(note_name()));
  if (durable == Durable::yes) RUNCTL_TRY(place_.directory->sync());
  return {};
}

Result<void> PartialFile::discard() {
  if (!has_name_) return {};
  RUNCTL_TRY(place_.directory->remove(note_name()));
  return place_.directory->remove(place_.name);
}

}  // namespace runctl::transfer
