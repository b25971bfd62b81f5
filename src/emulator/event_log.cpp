#include "emulator/event_log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "base/json.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

class FileEventLog final : public EventLog {
 public:
  explicit FileEventLog(UniqueFd fd) : fd_{std::move(fd)} {}

  void write(const boost::json::object& event) override {
    const std::string line = to_text(event) + "\n";
    // O_APPEND makes one write one whole line.
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  }

 private:
  UniqueFd fd_;
};

}  // namespace

Result<std::unique_ptr<EventLog>> open_event_log(const std::filesystem::path& path) {
  UniqueFd fd{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd.is_open()) return fail_errno(errno, "open", path);
  return std::make_unique<FileEventLog>(std::move(fd));
}

}  // namespace runctl::emulator
