#include "training/project_root.hpp"

#include <cstddef>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

// A folder that people share, as /tmp, or keep everything in. (That everybody may write to it does
// not tell: where Windows' disks are mounted, that is so everywhere.)
bool is_common_ground(const fs::path& folder, const fs::path& home) {
  std::error_code error;
  if (folder == home || folder == folder.root_path()) return true;
  const auto permissions = fs::status(folder, error).permissions();
  return !error && (permissions & fs::perms::sticky_bit) != fs::perms::none;
}

std::optional<fs::path> upward(fs::path folder, const fs::path& home, const char* name) {
  std::error_code error;
  while (!is_common_ground(folder, home)) {
    if (fs::exists(folder / name, error)) return folder;
    folder = folder.parent_path();
  }
  return std::nullopt;
}

}  // namespace

std::string_view in_words(RootMarker marker) {
  switch (marker) {
    case RootMarker::settings:
      return "its .runctl.toml";
    case RootMarker::git:
      return "its git repository";
    case RootMarker::pyproject:
      return "its pyproject.toml";
    case RootMarker::none:
      return "the script's folder";
    case RootMarker::alone:
      return "the script alone";
  }
  std::unreachable();
}

Result<ProjectRoot> find_project_root(const fs::path& script, const fs::path& home) {
  std::error_code error;
  if (!fs::is_regular_file(script, error)) {
    if (!error && fs::exists(script, error)) {
      return fail(Errc::invalid_argument, fmt::format("{} is no file", script.string()));
    }
    auto missing = fail(Errc::not_found, fmt::format("there is no script {}", script.string()));
    missing.error().hint = "The path is looked for from this directory, not on the machine.";
    return missing;
  }
  const fs::path given = script.has_parent_path() ? script.parent_path() : fs::path{"."};
  const fs::path folder = fs::canonical(given, error);
  if (error) return fail_errno(error.value(), "look at", given);
  const fs::path real_home = fs::weakly_canonical(home, error);

  ProjectRoot root{.path = folder, .marker = RootMarker::none};
  if (auto settings = upward(folder, real_home, ".runctl.toml")) {
    root.path = *std::move(settings);
    root.marker = RootMarker::settings;
  } else if (auto git = upward(folder, real_home, ".git")) {
    root.path = *std::move(git);
    root.marker = RootMarker::git;
  } else if (auto project = upward(folder, real_home, "pyproject.toml")) {
    root.path = *std::move(project);
    root.marker = RootMarker::pyproject;
  } else if (is_common_ground(folder, real_home)) {
    root.marker = RootMarker::alone;
  }
  root.script = (folder / script.filename()).lexically_relative(root.path).string();
  if (root.marker != RootMarker::alone) root.git_top = upward(root.path, real_home, ".git");
  return root;
}

std::string project_key(const ProjectRoot& root) {
  const bool alone = root.marker == RootMarker::alone;
  const std::string path = (alone ? root.path / root.script : root.path).string();
  std::string name;
  constexpr std::size_t longest = 40;
  for (const char c : fs::path{path}.filename().string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (name.size() < longest) name += plain ? c : '-';
  }
  return fmt::format("{}-{}", name, hex(sha256(path)).substr(0, 16));
}

}  // namespace runctl::training
