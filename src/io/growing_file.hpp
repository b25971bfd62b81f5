// A file that somebody else writes at its end, read as it grows, over rotation and truncation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "io/random_access_file.hpp"

namespace runctl {

// Thread safety: one caller at a time.
class GrowingFile {
 public:
  // Errors: as RandomAccessFile::open.
  [[nodiscard]] static Result<GrowingFile> open(const std::filesystem::path& path);

  // Begins at the last `lines` lines, looked for in its last 1 MiB. Errors: as fail_errno.
  [[nodiscard]] Result<void> skip_to_last_lines(std::size_t lines);

  enum class Event : std::uint8_t { none, rotated, truncated };
  struct Piece {
    std::string text = {};  // empty: nothing new now
    // What was found before the text: another file has the name by now (the old one was read to its
    // end first), or the file is shorter than what was read of it; reading begins at the start.
    Event event = Event::none;
  };
  // What is new, 1 MiB at most. A file whose name is gone is read on; a new one is waited for. A
  // file that was truncated and has grown past the old place between two calls cannot be told from
  // one that only grew. Errors: as fail_errno.
  [[nodiscard]] Result<Piece> next();

 private:
  GrowingFile(std::filesystem::path path, RandomAccessFile file, FileState state)
      : path_{std::move(path)}, file_{std::move(file)}, state_{state} {}
  [[nodiscard]] Result<std::string> read();

  std::filesystem::path path_;
  RandomAccessFile file_;
  FileState state_;  // when it was opened
  std::uint64_t offset_ = 0;
  bool replaced_ = false;  // the name had another file at the last call
};

}  // namespace runctl
