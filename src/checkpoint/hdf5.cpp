#include "checkpoint/hdf5.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace runctl::checkpoint {
namespace {

// Where the superblock may stand: at 0, 512, 1024, … Source: II.A. A user block of more than that
// nobody makes.
constexpr std::uint64_t last_place = std::uint64_t{1} << 20U;

struct Superblock {
  unsigned version = 0;
  std::uint64_t base = 0;
  std::uint64_t end_of_file = 0;
  std::uint64_t root = 0;
};

Result<std::optional<std::uint64_t>> find_superblock(Source& source) {
  for (std::uint64_t at = 0; at <= last_place && at + 8 <= source.size();
       at = at == 0 ? 512 : at * 2) {
    RUNCTL_TRY_LET(const std::string bytes, read_exactly(source, at, hdf5_signature.size()));
    if (bytes == hdf5_signature) return std::optional{at};
  }
  return std::optional<std::uint64_t>{};
}

Result<void> check_sizes(std::size_t offsets, std::size_t lengths) {
  const auto fits = [](std::size_t size) { return size == 2 || size == 4 || size == 8; };
  if (fits(offsets) && fits(lengths)) return {};
  return damaged(fmt::format("its addresses of {} bytes are none", offsets));
}

Result<Superblock> read_old(Source& source, std::uint64_t at, unsigned version) {
  RUNCTL_TRY_LET(const std::string head, read_exactly(source, at, 24));
  const auto size = static_cast<std::size_t>(little_endian(head, 13, 1));
  RUNCTL_TRY(check_sizes(size, static_cast<std::size_t>(little_endian(head, 14, 1))));
  // Four addresses, and the root's entry: the offset of its name, the address of its header.
  RUNCTL_TRY_LET(const std::string rest,
                 read_exactly(source, at + (version == 0 ? 24 : 28), size * 6));
  return Superblock{.version = version,
                    .base = little_endian(rest, 0, size),
                    .end_of_file = little_endian(rest, size * 2, size),
                    .root = little_endian(rest, size * 5, size)};
}

Result<Superblock> read_new(Source& source, std::uint64_t at, unsigned version) {
  RUNCTL_TRY_LET(const std::string head, read_exactly(source, at, 12));
  const auto size = static_cast<std::size_t>(little_endian(head, 9, 1));
  RUNCTL_TRY(check_sizes(size, static_cast<std::size_t>(little_endian(head, 10, 1))));
  const std::size_t whole = 12 + size * 4;
  RUNCTL_TRY_LET(const std::string bytes, read_exactly(source, at, whole + 4));
  if (lookup3(std::string_view{bytes}.substr(0, whole)) != little_endian(bytes, whole, 4)) {
    return damaged("the checksum of its superblock is wrong");
  }
  constexpr std::uint64_t open_to_write = 1;
  constexpr std::uint64_t open_to_write_and_read = 4;
  if ((little_endian(head, 11, 1) & (open_to_write | open_to_write_and_read)) != 0) {
    return damaged("its writer has not closed it: it is being written, or was cut off");
  }
  return Superblock{.version = version,
                    .base = little_endian(bytes, 12, size),
                    .end_of_file = little_endian(bytes, 12 + size * 2, size),
                    .root = little_endian(bytes, 12 + size * 3, size)};
}

Result<void> check_root(Source& source, const Superblock& superblock) {
  const std::uint64_t size = source.size();
  if (superblock.base > size || superblock.root > size - superblock.base) {
    return damaged("its root is behind the file's end");
  }
  RUNCTL_TRY_LET(const std::string bytes,
                 read_exactly(source, superblock.base + superblock.root, 4));
  if (bytes == "OHDR" || bytes.front() == 1) return {};
  return damaged(fmt::format("there is no object at byte {}, where its root should be",
                             superblock.base + superblock.root));
}

// One round over three words. Source: https://burtleburtle.net/bob/c/lookup3.c, mix() and final().
struct Mixer {
  std::uint32_t a;
  std::uint32_t b;
  std::uint32_t c;
  void mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  void finish() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
  }
  void add(std::string_view twelve) {
    a += static_cast<std::uint32_t>(little_endian(twelve, 0, 4));
    b += static_cast<std::uint32_t>(little_endian(twelve, 4, 4));
    c += static_cast<std::uint32_t>(little_endian(twelve, 8, 4));
  }
};

}  // namespace

std::uint32_t lookup3(std::string_view bytes) {
  const std::uint32_t first = 0xdeadbeef + static_cast<std::uint32_t>(bytes.size());
  Mixer mixer{.a = first, .b = first, .c = first};
  if (bytes.empty()) return mixer.c;
  while (bytes.size() > 12) {
    mixer.add(bytes);
    mixer.mix();
    bytes.remove_prefix(12);
  }
  std::array<char, 12> last{};
  std::ranges::copy(bytes, last.begin());
  mixer.add({last.data(), last.size()});
  mixer.finish();
  return mixer.c;
}

Result<bool> is_hdf5(Source& source) {
  RUNCTL_TRY_LET(const auto at, find_superblock(source));
  return at.has_value();
}

Result<Finding> read_hdf5(Source& source) {
  RUNCTL_TRY_LET(const auto at, find_superblock(source));
  if (!at) return damaged("it does not begin as an HDF5 file does");
  RUNCTL_TRY_LET(const std::string number, read_exactly(source, *at + 8, 1));
  const auto version = static_cast<unsigned>(little_endian(number, 0, 1));
  if (version > 3) return beyond(fmt::format("its superblock is of version {}", version));
  RUNCTL_TRY_LET(const Superblock superblock,
                 version < 2 ? read_old(source, *at, version) : read_new(source, *at, version));
  if (superblock.end_of_file > source.size()) {
    return damaged(fmt::format(
        "it ends at byte {}, and should at byte {}: it was cut off, or is being written",
        source.size(), superblock.end_of_file));
  }
  RUNCTL_TRY(check_root(source, superblock));
  Finding finding{.format = Format::hdf5, .verdict = Verdict::complete};
  finding.why = "superblock, root and end are right; what lies between is not looked at";
  if (superblock.end_of_file < source.size()) {
    finding.why += fmt::format("; {} bytes follow its end", source.size() - superblock.end_of_file);
  }
  return finding;
}

}  // namespace runctl::checkpoint
