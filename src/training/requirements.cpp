#include "training/requirements.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file.hpp"
#include "node/script.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 100;
constexpr std::uint64_t file_limit = std::uint64_t{4} << 20U;

// Lines as pip sees them: one that ends in '\' goes on in the next, a '#' at the start or after a
// blank begins a comment.
std::vector<std::string> logical_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (std::string_view part : split(text, '\n')) {
    if (part.ends_with('\r')) part.remove_suffix(1);
    const bool goes_on = part.ends_with('\\');
    line += goes_on ? part.substr(0, part.size() - 1) : part;
    if (goes_on) continue;
    for (std::size_t at = line.find('#'); at != std::string::npos; at = line.find('#', at + 1)) {
      if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') line.resize(at);
    }
    if (const std::string_view trimmed = trim(line); !trimmed.empty()) lines.emplace_back(trimmed);
    line.clear();
  }
  return lines;
}

// The value of one of an option's names: "-r x", "-rx", "--requirement x", "--requirement=x".
std::optional<std::string> value_of(std::string_view line, std::string_view brief,
                                    std::string_view full) {
  if (line.starts_with(full)) {
    line.remove_prefix(full.size());
    if (line.empty() || (line.front() != '=' && line.front() != ' ')) return std::nullopt;
    line.remove_prefix(1);
    return std::string{trim(line)};
  }
  if (!line.starts_with(brief) || line.starts_with("--")) return std::nullopt;
  return std::string{trim(line.substr(brief.size()))};
}

bool is_local_package(std::string_view line) {
  if (value_of(line, "-e", "--editable")) return true;
  if (line.starts_with('-')) return false;
  if (line.starts_with('.') || line.starts_with('/') || line.contains("file:")) return true;
  const std::string_view name = line.substr(0, line.find_first_of(" ;"));
  constexpr std::array<std::string_view, 4> archives{".whl", ".tar.gz", ".zip", ".tar.bz2"};
  return !name.contains("://") && std::ranges::any_of(archives, [&](std::string_view ending) {
    return name.ends_with(ending);
  });
}

Result<void> add(const fs::path& root, const std::string& file, Requirements& all) {
  if (std::ranges::find(all.files, file) != all.files.end()) return {};
  if (file.starts_with("..") || file.starts_with('/')) {
    return fail(Errc::invalid_argument,
                fmt::format("the file {} lies outside the project {}", node::to_utf8(file),
                            node::to_utf8(root.string())));
  }
  if (all.files.size() == most_files) {
    return fail(Errc::invalid_argument, fmt::format("the file {} includes more than {} files",
                                                    node::to_utf8(all.files.front()), most_files));
  }
  RUNCTL_TRY_LET(const std::string text, read_file(root / file, file_limit));
  all.files.push_back(file);
  all.content += fmt::format("{}\n{}\n", file, text);
  for (const std::string& line : logical_lines(text)) {
    auto included = value_of(line, "-r", "--requirement");
    if (!included) included = value_of(line, "-c", "--constraint");
    if (!included) {
      all.names_local_packages = all.names_local_packages || is_local_package(line);
      continue;
    }
    if (included->contains("://")) continue;
    auto added =
        add(root, (fs::path{file}.parent_path() / *included).lexically_normal().string(), all);
    if (!added) {
      Error& error = added.error();
      error.details.push_back(
          fmt::format("included by {}: {}", node::to_utf8(file), node::to_utf8(line)));
      return added;
    }
  }
  return {};
}

}  // namespace

Result<Requirements> read_requirements(const std::filesystem::path& root, const std::string& file) {
  Requirements all;
  RUNCTL_TRY(add(root, file, all));
  return all;
}

}  // namespace runctl::training
