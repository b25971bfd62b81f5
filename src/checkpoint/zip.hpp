// Zip archives, which PyTorch's, NumPy's and Keras's files are: the directory at the end, the
// headers before each member, and the checksums of what is in them. Source: PKWARE's APPNOTE.TXT
// 6.3.10.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

struct ZipMember {
  std::string name = {};
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  bool encrypted = false;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;  // bytes in the file
  std::uint64_t size = 0;    // bytes of the content
  std::uint64_t header = 0;  // where its local header begins
  std::uint64_t data = 0;    // where its content begins

  [[nodiscard]] bool is_readable() const { return !encrypted && (method == 0 || method == 8); }
};

// Bounds. A checkpoint of PyTorch has one member a tensor; those of the largest models have some
// ten thousand, of 100 bytes each in the directory.
inline constexpr std::uint64_t largest_zip_directory = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t most_zip_members = 1'000'000;

// Reads the directory and every local header, and holds them against one another: names, sizes,
// methods, checksums; members that overlap or leave the file. Zip64 where it is. The members in the
// order of their places. Errors: corrupt, with the member; beyond() the bounds, and archives of
// several files; those of the source. Memory: the directory, twice.
[[nodiscard]] Result<std::vector<ZipMember>> read_zip(Source& source);

// Reads a member whole and compares it with its checksum. Errors: corrupt; those of the source.
// Memory: 1 MiB. Time: at most 1,032 times that of reading the file, which is what deflate can do.
// For a member that is_readable().
[[nodiscard]] Result<void> check_content(Source& source, const ZipMember& member);

// The first `most` bytes of a member's content, or all of it. Errors as above.
[[nodiscard]] Result<std::string> read_content(Source& source, const ZipMember& member,
                                               std::size_t most);

}  // namespace runctl::checkpoint
