// The local record of what runctl is about to change, and of what became of it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/sqlite.hpp"
#include "journal/operation.hpp"

namespace runctl::journal {

// A SQLite file that every runctl of this user shares. Its rollback journal, not write-ahead
// logging, so that it also works in a home directory on a network filesystem. Thread safety: one
// caller at a time.
class Journal {
 public:
  // Makes the file, and the directories above it, for this user's eyes only. Errors: corrupt for a
  // file that is not ours; denied, internal.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path);
  // Nothing when there is no such file: nothing was ever begun.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open_existing(
      const std::filesystem::path& path);

  // Writes the operation, with all its steps. Durable on return.
  [[nodiscard]] Result<void> write(const Operation& operation);

  // The newest first; place and subject narrow where they are not empty.
  struct Query {
    std::string place = {};
    std::string subject = {};
    bool only_open = false;
    std::int64_t limit = 1'000;
  };
  [[nodiscard]] Result<std::vector<Operation>> list(const Query& query);
  // By its id, or by a beginning of it that no other has. Errors: not_found; conflict when several
  // begin so.
  [[nodiscard]] Result<Operation> find(std::string_view id);

 private:
  explicit Journal(std::unique_ptr<Sqlite> file) : file_{std::move(file)} {}
  [[nodiscard]] Result<Operation> read(const std::string& id);

  std::unique_ptr<Sqlite> file_;
};

}  // namespace runctl::journal
