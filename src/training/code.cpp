#include "training/code.hpp"

#include <algorithm>
#include <numeric>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "io/file.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

bool is_executable(const fs::path& path) {
  std::error_code error;
  return (fs::status(path, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
}

// A link may lead anywhere; what is sent is what lies in the folder itself.
bool stays_inside(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  const auto target = fs::canonical(path, error);
  return !error && target.parent_path() == fs::canonical(folder, error) &&
         fs::is_regular_file(target, error);
}

std::unexpected<Error> too_large(const fs::path& folder, const Code& code) {
  const auto largest = std::ranges::max_element(
      code.files, {}, [](const CodeFile& file) { return file.content.size(); });
  auto error = fail(Errc::invalid_argument,
                    fmt::format("the files in {} are more than the {} that are sent with a script; "
                                "the largest is {} ({})",
                                folder.string(), bytes_in_words(code_limit), largest->name,
                                bytes_in_words(largest->content.size())));
  error.error().hint =
      "Put the script into a folder of its own, or send it alone with --no-sync-code. Data belongs "
      "on "
      "a volume.";
  return error;
}

}  // namespace

std::uint64_t Code::bytes() const {
  return std::accumulate(
      files.begin(), files.end(), std::uint64_t{0},
      [](std::uint64_t sum, const CodeFile& file) { return sum + file.content.size(); });
}

Result<Code> collect_code(const fs::path& script, Siblings siblings) {
  std::error_code error;
  if (!fs::is_regular_file(script, error)) {
    auto missing = fail(Errc::not_found, fmt::format("there is no script {}", script.string()));
    missing.error().hint = "The path is looked for from this directory, not on the machine.";
    return missing;
  }
  const fs::path folder = script.has_parent_path() ? script.parent_path() : fs::path{"."};
  std::vector<fs::path> paths{script};
  Code code;
  if (siblings == Siblings::sent) {
    for (const auto& entry : fs::directory_iterator{folder, error}) {
      const std::string name = entry.path().filename().string();
      if (name == script.filename().string()) continue;
      if (name.starts_with('.') || !stays_inside(entry.path(), folder)) {
        if (name != "__pycache__") code.left_out.push_back(name);
      } else {
        paths.push_back(entry.path());
      }
    }
    if (error) return fail_errno(error.value(), "list", folder);
  }
  std::ranges::sort(paths);
  std::ranges::sort(code.left_out);
  for (const fs::path& path : paths) {
    RUNCTL_TRY_LET(auto content, read_file(path, std::uint64_t{256} << 20U));
    code.files.push_back(
        {.name = path.filename().string(),
         .content = std::move(content),
         .mode = is_executable(path) ? node::FileMode::executable : node::FileMode::readable});
    if (code.bytes() > code_limit) return too_large(folder, code);
  }
  return code;
}

}  // namespace runctl::training
