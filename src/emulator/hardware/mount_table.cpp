#include "emulator/hardware/mount_table.hpp"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <sys/sysmacros.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

// The kernel writes blanks, tabs, line ends and backslashes as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
            text.data() + i + 4) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<dev_t> parse_number(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2) return {};
  unsigned high = 0;
  unsigned low = 0;
  if (std::from_chars(parts[0].begin(), parts[0].end(), high).ptr != parts[0].end()) return {};
  if (std::from_chars(parts[1].begin(), parts[1].end(), low).ptr != parts[1].end()) return {};
  return makedev(high, low);
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> found;
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    if (const auto device = parse_number(fields[2])) {
      found.push_back({.device = *device, .point = unescape(fields[4])});
    }
  }
  return found;
}

Result<std::vector<MountEntry>> mounts_of(std::string_view process) {
  const auto folder = std::filesystem::path{"/proc"} / process;
  RUNCTL_TRY_LET(const std::string text, read_file(folder / "mountinfo"));
  return parse_mountinfo(text);
}

}  // namespace runctl::emulator
