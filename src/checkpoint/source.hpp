// Where the bytes of a checkpoint come from: a size, and reading at an offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/random_access_file.hpp"

namespace runctl::checkpoint {

// A file, an object in S3, a member of an archive. Its readers keep no more than they say, so a
// source of any size is read in bounded memory. Thread safety: none, one reader at a time.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  Source(Source&&) = delete;
  Source& operator=(Source&&) = delete;
  virtual ~Source() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // As many bytes as there are, up to the span's size: fewer only at the end. Errors: those of
  // where the bytes are; never corrupt, which is what readers say of the bytes.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> into) = 0;
};

class FileSource final : public Source {
 public:
  // Reading ends with the error cancelled once `stop` is requested.
  FileSource(RandomAccessFile file, std::uint64_t size, std::stop_token stop)
      : file_{std::move(file)}, size_{size}, stop_{std::move(stop)} {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> into) override;

 private:
  RandomAccessFile file_;
  std::uint64_t size_;  // when it was opened: what is appended later is not seen
  std::stop_token stop_;
};

// Bytes in memory, which are borrowed.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_{bytes} {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> into) override;

 private:
  std::string_view bytes_;
};

// `size` bytes of another source from `first` on; both must be in it.
class PartSource final : public Source {
 public:
  PartSource(Source& whole, std::uint64_t first, std::uint64_t size)
      : whole_{whole}, first_{first}, size_{size} {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> into) override;

 private:
  Source& whole_;
  std::uint64_t first_;
  std::uint64_t size_;
};

// What a reader says of bytes that break their format: the file is damaged.
[[nodiscard]] std::unexpected<Error> damaged(std::string message);
// What a reader says of bytes that may be right, and are more than it looks at.
[[nodiscard]] std::unexpected<Error> beyond(std::string message);
[[nodiscard]] inline bool is_beyond(const Error& error) {
  return error.code == Errc::invalid_argument;
}

// Exactly `size` bytes. Errors: corrupt when the source ends before; those of the source. For
// pieces whose size is bounded.
[[nodiscard]] Result<std::string> read_exactly(Source& source, std::uint64_t offset,
                                               std::size_t size);

// Numbers in bytes that are there, least significant first unless it says otherwise.
[[nodiscard]] std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size);
[[nodiscard]] std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size);

// A source read from front to back, with what may be skipped skipped. Memory: 64 KiB.
class Stream {
 public:
  explicit Stream(Source& source, std::uint64_t offset = 0) : source_{source}, offset_{offset} {}

  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t left() const {
    return source_.size() > offset_ ? source_.size() - offset_ : 0;
  }
  // Errors of all: corrupt when the source ends before; those of the source.
  [[nodiscard]] Result<std::uint8_t> byte();
  [[nodiscard]] Result<std::uint64_t> number(std::size_t bytes);
  // A text of `size` bytes, of which the first `kept` are given.
  [[nodiscard]] Result<std::string> text(std::uint64_t size, std::size_t kept);
  // Up to a line end, which is not given; a line of over `most` bytes is corrupt.
  [[nodiscard]] Result<std::string> line(std::size_t most);
  [[nodiscard]] Result<void> skip(std::uint64_t size);

 private:
  [[nodiscard]] Result<void> fill();

  Source& source_;
  std::uint64_t offset_;
  std::uint64_t begin_ = 0;  // where buffer_ stands in the source
  std::string buffer_ = {};
};

}  // namespace runctl::checkpoint
