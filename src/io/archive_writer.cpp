#include "io/archive_writer.hpp"

#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "io/shared_library.hpp"

namespace runctl {
namespace {

struct Library {
  decltype(&::archive_write_new) write_new = nullptr;
  decltype(&::archive_write_free) write_free = nullptr;
  decltype(&::archive_write_set_format_pax_restricted) set_format = nullptr;
  decltype(&::archive_write_add_filter_zstd) add_zstd = nullptr;
  decltype(&::archive_write_add_filter_gzip) add_gzip = nullptr;
  decltype(&::archive_write_set_options) set_options = nullptr;
  decltype(&::archive_write_set_bytes_in_last_block) set_last_block = nullptr;
  decltype(&::archive_write_open) open = nullptr;
  decltype(&::archive_write_header) header = nullptr;
  decltype(&::archive_write_data) data = nullptr;
  decltype(&::archive_write_close) close = nullptr;
  decltype(&::archive_error_string) error = nullptr;
  decltype(&::archive_entry_new) entry_new = nullptr;
  decltype(&::archive_entry_free) entry_free = nullptr;
  decltype(&::archive_entry_clear) entry_clear = nullptr;
  decltype(&::archive_entry_set_pathname) set_pathname = nullptr;
  decltype(&::archive_entry_set_size) set_size = nullptr;
  decltype(&::archive_entry_set_filetype) set_filetype = nullptr;
  decltype(&::archive_entry_set_perm) set_perm = nullptr;
  decltype(&::archive_entry_set_mtime) set_mtime = nullptr;
  decltype(&::archive_entry_set_symlink) set_symlink = nullptr;
};

Result<Library> load_archive() {
  // Source: the soname since libarchive 3.0 (2011).
  RUNCTL_TRY_LET(void* const library, load_library("libarchive.so.13", "libarchive13"));
  Library found;
  RUNCTL_TRY(find_function(library, "archive_write_new", found.write_new));
  RUNCTL_TRY(find_function(library, "archive_write_free", found.write_free));
  RUNCTL_TRY(find_function(library, "archive_write_set_format_pax_restricted", found.set_format));
  RUNCTL_TRY(find_function(library, "archive_write_add_filter_zstd", found.add_zstd));
  RUNCTL_TRY(find_function(library, "archive_write_add_filter_gzip", found.add_gzip));
  RUNCTL_TRY(find_function(library, "archive_write_set_options", found.set_options));
  RUNCTL_TRY(find_function(library, "archive_write_set_bytes_in_last_block", found.set_last_block));
  RUNCTL_TRY(find_function(library, "archive_write_open", found.open));
  RUNCTL_TRY(find_function(library, "archive_write_header", found.header));
  RUNCTL_TRY(find_function(library, "archive_write_data", found.data));
  RUNCTL_TRY(find_function(library, "archive_write_close", found.close));
  RUNCTL_TRY(find_function(library, "archive_error_string", found.error));
  RUNCTL_TRY(find_function(library, "archive_entry_new", found.entry_new));
  RUNCTL_TRY(find_function(library, "archive_entry_free", found.entry_free));
  RUNCTL_TRY(find_function(library, "archive_entry_clear", found.entry_clear));
  RUNCTL_TRY(find_function(library, "archive_entry_set_pathname", found.set_pathname));
  RUNCTL_TRY(find_function(library, "archive_entry_set_size", found.set_size));
  RUNCTL_TRY(find_function(library, "archive_entry_set_filetype", found.set_filetype));
  RUNCTL_TRY(find_function(library, "archive_entry_set_perm", found.set_perm));
  RUNCTL_TRY(find_function(library, "archive_entry_set_mtime", found.set_mtime));
  RUNCTL_TRY(find_function(library, "archive_entry_set_symlink", found.set_symlink));
  return found;
}

la_ssize_t append(archive*, void* into, const void* bytes, std::size_t size) {
  static_cast<std::string*>(into)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

struct ArchiveWriter::State {
  explicit State(const Library& functions)
      : library{functions}, archive{functions.write_new()}, entry{functions.entry_new()} {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;
  ~State() {
    library.entry_free(entry);
    library.write_free(archive);
  }

  [[nodiscard]] std::unexpected<Error> failed() const {
    const char* const why = library.error(archive);
    return fail(Errc::internal, fmt::format("cannot write an archive: {}",
                                            why == nullptr ? "no reason given" : why));
  }
  // A name that is no UTF-8 is a warning, and written as it is.
  [[nodiscard]] Result<void> check(la_ssize_t status) const {
    if (status < ARCHIVE_WARN) return failed();
    return {};
  }
  [[nodiscard]] Result<void> start(Compression compression);

  Library library;
  ::archive* archive;
  archive_entry* entry;
  std::string bytes;
};

Result<void> ArchiveWriter::State::start(Compression compression) {
  // Restricted: extra headers only for what the plain format has no room for, a kilobyte a file.
  RUNCTL_TRY(check(library.set_format(archive)));
  if (compression == Compression::zstd) {
    RUNCTL_TRY(check(library.add_zstd(archive)));
    // Compressed beside the reading; a zstd without threads does it in turn.
    (void)library.set_options(archive, "zstd:threads=1");
  } else {
    RUNCTL_TRY(check(library.add_gzip(archive)));
  }
  // Without the zeros that fill a tape's last block: zstd takes them for a broken frame.
  RUNCTL_TRY(check(library.set_last_block(archive, 1)));
  return check(library.open(archive, &bytes, nullptr, append, nullptr));
}

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_{std::move(state)} {}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;
ArchiveWriter::~ArchiveWriter() = default;

Result<ArchiveWriter> ArchiveWriter::open(Compression compression) {
  RUNCTL_TRY_LET(const Library library, load_archive());
  auto state = std::make_unique<State>(library);
  RUNCTL_TRY(state->start(compression));
  return ArchiveWriter{std::move(state)};
}

Result<void> ArchiveWriter::begin_file(const ArchiveMember& member) {
  const Library& library = state_->library;
  library.entry_clear(state_->entry);
  library.set_pathname(state_->entry, member.path.c_str());
  library.set_size(state_->entry, static_cast<la_int64_t>(member.size));
  library.set_filetype(state_->entry, AE_IFREG);
  library.set_perm(state_->entry, member.executable ? 0755 : 0644);
  library.set_mtime(state_->entry, static_cast<time_t>(member.modified), 0);
  return state_->check(library.header(state_->archive, state_->entry));
}

Result<void> ArchiveWriter::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  const auto written = state_->library.data(state_->archive, bytes.data(), bytes.size());
  RUNCTL_TRY(state_->check(written));
  if (static_cast<std::size_t>(written) == bytes.size()) return {};
  return fail(Errc::internal, "a file in an archive is longer than was said");
}

Result<void> ArchiveWriter::add_link(const std::string& path, const std::string& target) {
  const Library& library = state_->library;
  library.entry_clear(state_->entry);
  library.set_pathname(state_->entry, path.c_str());
  library.set_filetype(state_->entry, AE_IFLNK);
  library.set_perm(state_->entry, 0777);
  library.set_symlink(state_->entry, target.c_str());
  return state_->check(library.header(state_->archive, state_->entry));
}

Result<std::string> ArchiveWriter::finish() {
  RUNCTL_TRY(state_->check(state_->library.close(state_->archive)));
  return std::move(state_->bytes);
}

}  // namespace runctl
