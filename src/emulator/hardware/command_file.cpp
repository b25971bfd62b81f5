#include "emulator/hardware/command_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <utility>

#include "io/file.hpp"

namespace runctl::emulator {

Result<CommandFile> CommandFile::write(const std::filesystem::path& directory,
                                       std::string_view script) {
  std::string name = directory / "commandXXXXXX";
  const UniqueFd fd{::mkostemp(name.data(), O_CLOEXEC)};
  if (!fd.is_open()) return fail_errno(errno, "create", name);
  CommandFile file{name};
  while (!script.empty()) {
    const ssize_t written = ::write(fd.get(), script.data(), script.size());
    if (written < 0) return fail_errno(errno, "write", name);
    script.remove_prefix(static_cast<std::size_t>(written));
  }
  return file;
}

CommandFile::CommandFile(CommandFile&& other) noexcept : path_{std::exchange(other.path_, {})} {}

CommandFile::~CommandFile() {
  if (path_.empty()) return;
  ::unlink(path_.c_str());
  ::unlink(error_path().c_str());
  ::unlink(pid_path().c_str());
}

}  // namespace runctl::emulator
