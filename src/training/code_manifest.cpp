#include "training/code_manifest.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::training {
namespace {

using Lines = std::vector<std::string_view>;

std::string escaped(std::string_view path) {
  std::string text;
  text.reserve(path.size());
  for (const char c : path) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

std::string unescaped(std::string_view text) {
  std::string path;
  path.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      path += text[at];
      continue;
    }
    ++at;
    const char letter = text[at];
    path += letter == 't' ? '\t' : letter == 'n' ? '\n' : letter;
  }
  return path;
}

char letter_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
      return 'f';
    case EntryKind::executable:
      return 'x';
    case EntryKind::link:
      return 'l';
  }
  std::unreachable();
}

std::string line_of(const CodeEntry& entry) {
  std::string line = escaped(entry.path);
  line += '\t';
  line += letter_of(entry.kind);
  line += '\t';
  line += hex(entry.hash);
  return line;
}

// Without the empty one behind the last line end.
Lines lines_of(std::string_view manifest) {
  Lines lines;
  while (!manifest.empty()) {
    const auto end = std::min(manifest.find('\n'), manifest.size());
    lines.push_back(manifest.substr(0, end));
    manifest.remove_prefix(std::min(end + 1, manifest.size()));
  }
  return lines;
}

std::string path_of(std::string_view line) { return unescaped(line.substr(0, line.find('\t'))); }

std::string text_of(const Lines& lines) {
  std::string text;
  for (const std::string_view line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

std::set<std::string> folders_of(const Lines& lines) {
  std::set<std::string> folders;
  for (const std::string_view line : lines) {
    const std::string path = path_of(line);
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
      if (!folders.insert(path.substr(0, slash)).second) break;  // its own folders are there too
    }
  }
  return folders;
}

}  // namespace

std::string manifest_of(std::span<const CodeEntry> entries) {
  std::vector<std::string> lines;
  lines.reserve(entries.size());
  std::size_t size = 0;
  for (const CodeEntry& entry : entries) {
    lines.push_back(line_of(entry));
    size += lines.back().size() + 1;
  }
  std::ranges::sort(lines);
  std::string text;
  text.reserve(size);
  for (const std::string& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

std::string name_of_manifest(std::string_view manifest) { return hex(sha256(manifest)); }

ManifestChange compare_manifests(std::string_view from, std::string_view to) {
  const Lines before = lines_of(from);
  const Lines after = lines_of(to);
  Lines minus;
  Lines plus;
  std::ranges::set_difference(before, after, std::back_inserter(minus));
  std::ranges::set_difference(after, before, std::back_inserter(plus));
  std::set<std::string> changed;
  for (const std::string_view line : plus) changed.insert(path_of(line));
  ManifestChange change{.minus = text_of(minus), .plus = text_of(plus)};
  for (const std::string_view line : minus) {
    std::string path = path_of(line);
    if (!changed.contains(path)) change.removed_files.push_back(std::move(path));
  }
  if (change.removed_files.empty()) return change;
  const auto folders_before = folders_of(before);
  const auto folders_after = folders_of(after);
  std::ranges::set_difference(folders_before, folders_after,
                              std::back_inserter(change.removed_folders));
  std::ranges::reverse(change.removed_folders);
  return change;
}

std::vector<std::size_t> entries_not_in(std::string_view manifest,
                                        std::span<const CodeEntry> entries) {
  const Lines lines = lines_of(manifest);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool known = !entries[i].hash.empty();
    if (!known || !std::ranges::binary_search(lines, std::string_view{line_of(entries[i])}))
      missing.push_back(i);
  }
  return missing;
}

}  // namespace runctl::training
