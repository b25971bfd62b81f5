// The directory of a zip archive, and its members' headers.
#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "checkpoint/zip.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::size_t end_size = 22;
constexpr std::size_t longest_comment = 65'535;
constexpr std::size_t locator_size = 20;
constexpr std::size_t end64_size = 56;
constexpr std::size_t entry_size = 46;
constexpr std::size_t local_size = 30;
constexpr std::uint64_t in_zip64 = 0xffff'ffff;

constexpr std::uint64_t local_signature = 0x04034b50;
constexpr std::uint64_t entry_signature = 0x02014b50;
constexpr std::uint64_t end_signature = 0x06054b50;
constexpr std::uint64_t end64_signature = 0x06064b50;
constexpr std::uint64_t locator_signature = 0x07064b50;

constexpr std::uint16_t flag_encrypted = 1;
constexpr std::uint16_t flag_descriptor = 8;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t members = 0;
  std::uint64_t end = 0;  // where the records behind the directory begin
};

std::string shown(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 80)) out += c < ' ' || c == '\x7f' ? '?' : c;
  return out;
}

// The end record's place: its comment must end where the file does.
Result<std::uint64_t> find_end(Source& source) {
  const std::uint64_t size = source.size();
  if (size < end_size) return damaged("it ends before the directory of the archive");
  const auto window =
      static_cast<std::size_t>(std::min<std::uint64_t>(size, end_size + longest_comment));
  RUNCTL_TRY_LET(const std::string tail, read_exactly(source, size - window, window));
  for (std::size_t at = window - end_size + 1; at-- > 0;) {
    if (little_endian(tail, at, 4) != end_signature) continue;
    if (at + end_size + little_endian(tail, at + 20, 2) == window) return size - window + at;
  }
  return damaged("the directory at its end is missing: it was cut off, or is not yet written");
}

Result<void> read_end64(Source& source, std::uint64_t end, Directory& directory) {
  if (end < locator_size) return damaged("its zip64 record is missing");
  RUNCTL_TRY_LET(const std::string locator, read_exactly(source, end - locator_size, locator_size));
  if (little_endian(locator, 0, 4) != locator_signature)
    return damaged("its zip64 record is missing");
  const std::uint64_t at = little_endian(locator, 8, 8);
  if (end < locator_size + end64_size || at > end - locator_size - end64_size) {
    return damaged("its zip64 record is behind the file's end");
  }
  RUNCTL_TRY_LET(const std::string record, read_exactly(source, at, end64_size));
  if (little_endian(record, 0, 4) != end64_signature) return damaged("its zip64 record is none");
  // The record's size does not count its own first 12 bytes.
  const std::uint64_t record_size = little_endian(record, 4, 8);
  if (record_size != end - locator_size - at - 12)
    return damaged("its zip64 record has another size");
  if (little_endian(record, 16, 4) != little_endian(record, 20, 4)) {
    return beyond("the archive is one of several files");
  }
  directory = {.offset = little_endian(record, 48, 8),
               .size = little_endian(record, 40, 8),
               .members = little_endian(record, 32, 8),
               .end = at};
  return {};
}

Result<Directory> find_directory(Source& source) {
  RUNCTL_TRY_LET(const std::uint64_t end, find_end(source));
  RUNCTL_TRY_LET(const std::string record, read_exactly(source, end, end_size));
  if (little_endian(record, 4, 2) != little_endian(record, 6, 2)) {
    return beyond("the archive is one of several files");
  }
  Directory directory{.offset = little_endian(record, 16, 4),
                      .size = little_endian(record, 12, 4),
                      .members = little_endian(record, 10, 2),
                      .end = end};
  // PyTorch writes the zip64 record always, also where nothing in the other one asks for it.
  std::optional<Directory> wide;
  if (end >= locator_size) {
    RUNCTL_TRY_LET(const std::string before, read_exactly(source, end - locator_size, 4));
    if (little_endian(before, 0, 4) == locator_signature) {
      wide.emplace();
      RUNCTL_TRY(read_end64(source, end, *wide));
    }
  }
  const bool asks =
      directory.offset == in_zip64 || directory.size == in_zip64 || directory.members == 0xffff;
  if (asks && !wide) return damaged("its zip64 record is missing");
  if (wide) {
    const bool agrees = (directory.offset == in_zip64 || directory.offset == wide->offset) &&
                        (directory.size == in_zip64 || directory.size == wide->size) &&
                        (directory.members == 0xffff || directory.members == wide->members);
    if (!agrees) return damaged("its two end records disagree");
    directory = *wide;
  }
  if (directory.offset > directory.end || directory.size != directory.end - directory.offset) {
    return damaged(fmt::format("its directory of {} bytes at byte {} does not end at byte {}",
                               directory.size, directory.offset, directory.end));
  }
  return directory;
}

// The wide numbers of an entry, which stand in the order of the narrow ones that ask for them.
Result<void> read_wide(std::string_view extra, std::vector<std::uint64_t*> wanted,
                       std::string_view name) {
  std::erase_if(wanted, [](const std::uint64_t* value) { return *value != in_zip64; });
  if (wanted.empty()) return {};
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const auto kind = little_endian(extra, at, 2);
    const auto size = static_cast<std::size_t>(little_endian(extra, at + 2, 2));
    at += 4;
    if (size > extra.size() - at) break;
    if (kind == 1) {
      if (size < wanted.size() * 8) break;
      for (std::size_t i = 0; i < wanted.size(); ++i)
        *wanted[i] = little_endian(extra, at + i * 8, 8);
      return {};
    }
    at += size;
  }
  return damaged(fmt::format("the zip64 sizes of its member {} are missing", shown(name)));
}

// Reads the entry at `at`, and moves `at` behind it.
Result<ZipMember> read_entry(std::string_view bytes, std::size_t& at) {
  if (bytes.size() - at < entry_size || little_endian(bytes, at, 4) != entry_signature) {
    return damaged("its directory is damaged");
  }
  const auto name_size = static_cast<std::size_t>(little_endian(bytes, at + 28, 2));
  const auto extra_size = static_cast<std::size_t>(little_endian(bytes, at + 30, 2));
  const auto comment_size = static_cast<std::size_t>(little_endian(bytes, at + 32, 2));
  if (bytes.size() - at - entry_size < name_size + extra_size + comment_size) {
    return damaged("its directory is damaged");
  }
  ZipMember member{.name = std::string{bytes.substr(at + entry_size, name_size)},
                   .method = static_cast<std::uint16_t>(little_endian(bytes, at + 10, 2)),
                   .encrypted = (little_endian(bytes, at + 8, 2) & flag_encrypted) != 0,
                   .crc = static_cast<std::uint32_t>(little_endian(bytes, at + 16, 4)),
                   .packed = little_endian(bytes, at + 20, 4),
                   .size = little_endian(bytes, at + 24, 4),
                   .header = little_endian(bytes, at + 42, 4)};
  RUNCTL_TRY(read_wide(bytes.substr(at + entry_size + name_size, extra_size),
                       {&member.size, &member.packed, &member.header}, member.name));
  at += entry_size + name_size + extra_size + comment_size;
  if (member.method == 0 && !member.encrypted && member.packed != member.size) {
    return damaged(
        fmt::format("its member {} is stored in another size than it has", shown(member.name)));
  }
  return member;
}

// Holds the header before a member's content against its entry in the directory. `end` is where the
// next thing in the file begins.
Result<void> read_local(Source& source, ZipMember& member, std::uint64_t end) {
  const auto wrong = [&](std::string_view what) {
    return damaged(
        fmt::format("its member {} at byte {} {}", shown(member.name), member.header, what));
  };
  if (member.header > end || end - member.header < local_size)
    return wrong("has no room for its header");
  // With the name and what usually follows it in one read.
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(end - member.header, local_size + 1024));
  RUNCTL_TRY_LET(std::string bytes, read_exactly(source, member.header, most));
  if (little_endian(bytes, 0, 4) != local_signature) return wrong("has no header");
  const auto name_size = static_cast<std::size_t>(little_endian(bytes, 26, 2));
  const auto extra_size = static_cast<std::size_t>(little_endian(bytes, 28, 2));
  const std::size_t whole = local_size + name_size + extra_size;
  if (end - member.header < whole) return wrong("has a header that reaches into the next");
  if (whole > bytes.size()) {
    RUNCTL_TRY_LET(bytes, read_exactly(source, member.header, whole));
  }
  const std::string_view text = bytes;
  if (text.substr(local_size, name_size) != member.name)
    return wrong("has another name in its header");
  if (little_endian(text, 8, 2) != member.method)
    return wrong("is packed in another way than its header says");
  const bool behind = (little_endian(text, 6, 2) & flag_descriptor) != 0;
  std::uint64_t packed = little_endian(text, 18, 4);
  std::uint64_t size = little_endian(text, 22, 4);
  RUNCTL_TRY(
      read_wide(text.substr(local_size + name_size, extra_size), {&size, &packed}, member.name));
  const std::uint64_t crc = little_endian(text, 14, 4);
  // With a descriptor behind the content the header may leave them open.
  const auto agrees = [&](std::uint64_t here, std::uint64_t there) {
    return here == there || (behind && here == 0);
  };
  if (!agrees(packed, member.packed) || !agrees(size, member.size) || !agrees(crc, member.crc)) {
    return wrong("has other sizes or another checksum in its header");
  }
  member.data = member.header + whole;
  if (member.packed > end - member.data) return wrong("reaches into what follows it");
  return {};
}

}  // namespace

Result<std::vector<ZipMember>> read_zip(Source& source) {
  RUNCTL_TRY_LET(const Directory directory, find_directory(source));
  if (directory.size > largest_zip_directory || directory.members > most_zip_members) {
    return beyond(fmt::format("its directory has {} members in {}", directory.members,
                              bytes_in_words(directory.size)));
  }
  std::vector<ZipMember> members;
  {
    RUNCTL_TRY_LET(const std::string bytes, read_exactly(source, directory.offset,
                                                         static_cast<std::size_t>(directory.size)));
    for (std::size_t at = 0; at < bytes.size();) {
      RUNCTL_TRY_LET(ZipMember member, read_entry(bytes, at));
      members.push_back(std::move(member));
    }
  }
  if (members.size() != directory.members) {
    return damaged(fmt::format("its directory has {} members, and says {}", members.size(),
                               directory.members));
  }
  std::ranges::sort(members, {}, &ZipMember::header);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::uint64_t end = i + 1 < members.size() ? members[i + 1].header : directory.offset;
    RUNCTL_TRY(read_local(source, members[i], end));
  }
  return members;
}

}  // namespace runctl::checkpoint
