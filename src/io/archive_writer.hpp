// Compressed tar archives, written by libarchive, which is loaded when it is first needed: it
// brings libxml2 and ICU, 35 MB that `runctl --version` has no time for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

namespace runctl {

enum class Compression : std::uint8_t { zstd, gzip };

struct ArchiveMember {
  std::string path;  // any bytes
  std::uint64_t size = 0;
  bool executable = false;    // mode 0755, else 0644
  std::int64_t modified = 0;  // seconds since 1970
};

// An archive in the pax format, kept in memory as it is compressed: what is written is a project's
// code, which is refused above a limit before. Owners are root, so that nothing of this machine's
// users is in it. Thread safety: used by one thread at a time.
class ArchiveWriter {
 public:
  // Errors: precondition when libarchive is not there; internal.
  [[nodiscard]] static Result<ArchiveWriter> open(Compression compression);
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;
  ~ArchiveWriter();

  // Begins a file; write() then gives its content, exactly `size` bytes in all. Errors: internal.
  [[nodiscard]] Result<void> begin_file(const ArchiveMember& member);
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  // A symbolic link. Errors: internal.
  [[nodiscard]] Result<void> add_link(const std::string& path, const std::string& target);
  // The whole archive; nothing may follow. Errors: internal.
  [[nodiscard]] Result<std::string> finish();

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace runctl
