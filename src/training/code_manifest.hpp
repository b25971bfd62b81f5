// The list of what a tree of code consists of, which names a state of it, and what leads from one
// state to another.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/code_tree.hpp"

namespace runctl::training {

// A line for each entry, sorted by their bytes (as `LC_ALL=C sort` does): the path, a tab, f, x or
// l, a tab, the SHA-256 of the content in hexadecimal digits. A backslash, a tab and a line end in
// a path are written \\, \t and \n. Entries whose hash is not known must not be among them. Times
// and owners are not: they do not change what a script does.
[[nodiscard]] std::string manifest_of(std::span<const CodeEntry> entries);

// What names a manifest, on both sides: its SHA-256 in hexadecimal digits.
[[nodiscard]] std::string name_of_manifest(std::string_view manifest);

struct ManifestChange {
  std::string minus = {};  // lines of the old one that the new one has not, in order
  std::string plus = {};   // and the reverse
  // Paths that are no more, and folders that hold nothing any more, the deepest first.
  std::vector<std::string> removed_files = {};
  std::vector<std::string> removed_folders = {};
};

// From one manifest to another. Both must be what manifest_of gives.
[[nodiscard]] ManifestChange compare_manifests(std::string_view from, std::string_view to);

// The entries (by number) whose lines a manifest does not have. An entry without a hash is one.
[[nodiscard]] std::vector<std::size_t> entries_not_in(std::string_view manifest,
                                                      std::span<const CodeEntry> entries);

}  // namespace runctl::training
