// A command's text as a file that a shell can read: a script may be longer than an argument can.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::emulator {

// Removed with its owner, and with it the files of the same name and ".error" or ".pid", if there
// are any.
class CommandFile {
 public:
  // Errors: as fail_errno.
  [[nodiscard]] static Result<CommandFile> write(const std::filesystem::path& directory,
                                                 std::string_view script);
  CommandFile(const CommandFile&) = delete;
  CommandFile& operator=(const CommandFile&) = delete;
  CommandFile(CommandFile&& other) noexcept;
  CommandFile& operator=(CommandFile&&) = delete;
  ~CommandFile();

  // Leaves the file to whatever becomes of its directory.
  void forget() { path_.clear(); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path error_path() const { return path_.string() + ".error"; }
  [[nodiscard]] std::filesystem::path pid_path() const { return path_.string() + ".pid"; }

 private:
  explicit CommandFile(std::filesystem::path path) : path_{std::move(path)} {}
  std::filesystem::path path_;
};

}  // namespace runctl::emulator
