// A local file while it is uploaded, and the watch that it stays as it was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "base/crc.hpp"
#include "base/result.hpp"
#include "io/random_access_file.hpp"
#include "transfer/job.hpp"
#include "transfer/object_store.hpp"
#include "transfer/range_set.hpp"
#include "transfer/run_context.hpp"

namespace runctl::transfer {

// Thread safety: may be used from several threads at once.
class UploadFile {
 public:
  // Opens the file and notes its state. A file that was changed within the last ticks of the
  // kernel's clock is waited for, some hundredths of a second, so that every later change is seen.
  // Errors: not_found, denied; invalid_argument for what is no regular file.
  [[nodiscard]] static Result<UploadFile> open(const Upload& job, Clock& clock,
                                               const std::stop_token& stop);

  [[nodiscard]] const FileState& state() const { return state_; }
  [[nodiscard]] std::uint64_t size() const { return state_.size; }

  // Fills `into`; every byte must be there. Errors: precondition when the file has shrunk.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;
  // Errors: precondition, saying how, when the file, or what its name names, is not what was
  // opened.
  [[nodiscard]] Result<void> check_unchanged() const;
  // The checksum of a range, read for that. Errors: as read; cancelled.
  [[nodiscard]] Result<std::uint64_t> crc_of(const Range& range, CrcKind kind,
                                             const std::stop_token& stop) const;

 private:
  UploadFile(RandomAccessFile file, const Upload& job, AtLink at_link, const FileState& state)
      : file_{std::move(file)},
        root_{job.root},
        name_{job.name},
        at_link_{at_link},
        state_{state} {}

  RandomAccessFile file_;
  std::filesystem::path root_;
  std::string name_;
  AtLink at_link_;
  FileState state_;
};

// A request's body that is counted, hashed and held to the bandwidth as it is read.
class CountedSource : public ByteSource {
 public:
  CountedSource(RunContext& run, Tally& tally, std::uint64_t size, std::stop_token stop)
      : run_{run}, tally_{tally}, size_{size}, stop_{std::move(stop)}, crc_{run.options.checksum} {}

  [[nodiscard]] std::uint64_t size() const final { return size_; }
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) final;
  // Of what was read since offset 0, in order.
  [[nodiscard]] std::uint64_t crc() const { return crc_.value(); }
  // The same, once all of it was read; to be asked before take_back().
  [[nodiscard]] std::optional<std::uint64_t> whole_crc() const {
    return at_ == size_ ? std::optional{crc_.value()} : std::nullopt;
  }
  // What was counted as done is not: the request has failed.
  void take_back();

 private:
  // Fills `into` from `offset`, all of which is there.
  [[nodiscard]] virtual Result<void> fetch(std::uint64_t offset, std::span<std::byte> into) = 0;
  // Before the last bytes are given away.
  [[nodiscard]] virtual Result<void> check() = 0;

  RunContext& run_;
  Tally& tally_;
  std::uint64_t size_;
  std::stop_token stop_;
  Crc crc_;
  std::uint64_t at_ = 0;
};

// A range of the file as a request's body. Checks that the file is unchanged before it gives the
// last bytes away, so that no request with bytes of a changed file is ever complete.
class FileSource final : public CountedSource {
 public:
  FileSource(RunContext& run, Tally& tally, const UploadFile& file, const Range& range,
             std::stop_token stop)
      : CountedSource{run, tally, range.length, std::move(stop)}, file_{file}, range_{range} {}

 private:
  [[nodiscard]] Result<void> fetch(std::uint64_t offset, std::span<std::byte> into) override {
    return file_.read(range_.first + offset, into);
  }
  [[nodiscard]] Result<void> check() override { return file_.check_unchanged(); }

  const UploadFile& file_;
  Range range_;
};

// Bytes that were read before.
class BufferSource final : public CountedSource {
 public:
  BufferSource(RunContext& run, Tally& tally, std::span<const std::byte> bytes,
               std::stop_token stop)
      : CountedSource{run, tally, bytes.size(), std::move(stop)}, bytes_{bytes} {}

 private:
  [[nodiscard]] Result<void> fetch(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] Result<void> check() override { return {}; }

  std::span<const std::byte> bytes_;
};

}  // namespace runctl::transfer
