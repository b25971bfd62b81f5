#include "io/growing_file.hpp"

#include <algorithm>
#include <span>

namespace runctl {
namespace {

constexpr std::size_t piece_limit = std::size_t{1} << 20U;

}  // namespace

Result<GrowingFile> GrowingFile::open(const std::filesystem::path& path) {
  RUNCTL_TRY_LET(auto file, RandomAccessFile::open(path, AtLink::follow));
  RUNCTL_TRY_LET(const auto state, file.state());
  return GrowingFile{path, std::move(file), state};
}

Result<std::string> GrowingFile::read() {
  std::string text(piece_limit, '\0');
  RUNCTL_TRY_LET(const auto count, file_.read_at(offset_, std::as_writable_bytes(std::span{text})));
  text.resize(count);
  offset_ += count;
  return text;
}

Result<void> GrowingFile::skip_to_last_lines(std::size_t lines) {
  RUNCTL_TRY_LET(const auto state, file_.state());
  offset_ = state.size - std::min<std::uint64_t>(state.size, piece_limit);
  const std::uint64_t start = offset_;
  RUNCTL_TRY_LET(const auto end, read());
  std::size_t at = end.size();
  if (at > 0 && end[at - 1] == '\n') --at;
  offset_ = start;
  if (lines == 0) offset_ = start + end.size();
  for (std::size_t found = 0; found < lines; ++found) {
    const auto newline = at == 0 ? std::string::npos : end.rfind('\n', at - 1);
    if (newline == std::string::npos) return {};
    at = newline;
    if (found + 1 == lines) offset_ = start + at + 1;
  }
  return {};
}

Result<GrowingFile::Piece> GrowingFile::next() {
  Piece piece;
  RUNCTL_TRY_LET(piece.text, read());
  if (!piece.text.empty()) return piece;
  const auto named = state_of(path_, AtLink::follow);
  const bool another = named && (named->inode != state_.inode || named->device != state_.device);
  // Its writer may write a last line to the old one after it was renamed: only what has had nothing
  // new twice is left.
  if (another && !std::exchange(replaced_, true)) return piece;
  if (another) {
    auto file = RandomAccessFile::open(path_, AtLink::follow);
    if (!file) return piece;  // gone again, or not yet what it will be
    file_ = *std::move(file);
    RUNCTL_TRY_LET(state_, file_.state());
    offset_ = 0;
    replaced_ = false;
    piece.event = Event::rotated;
  } else {
    replaced_ = false;
    RUNCTL_TRY_LET(const auto own, file_.state());
    if (own.size >= offset_) return piece;
    offset_ = 0;
    piece.event = Event::truncated;
  }
  RUNCTL_TRY_LET(piece.text, read());
  return piece;
}

}  // namespace runctl
