// Which paths are meant, in gitignore's syntax and with git's meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/glob.hpp"

namespace runctl::transfer {

enum class PathKind : std::uint8_t { file, directory };

// Lines of a .gitignore file that lies in the root of the tree. Paths are relative to it, with '/'
// between components, no '/' at either end.
// Source: gitignore(5); git's dir.c, parse_path_pattern and last_matching_pattern_from_list. Paths
// are compared as with core.ignoreCase off. The meaning is held against `git check-ignore`
// (ignore_rules_test.cpp).
// Thread safety: const members may be called from several threads at once.
class IgnoreRules {
 public:
  // Blank lines and comments are passed over; what git can match with nothing matches nothing.
  void add(std::string_view line);
  // A file's content, with either line end.
  void add_lines(std::string_view text);

  [[nodiscard]] bool empty() const { return rules_.empty(); }

  // Whether the path is left out: it, or a directory that it is in, is matched last by a rule that
  // is not negated. What lies in a directory that is left out cannot be taken back in.
  [[nodiscard]] bool excludes(std::string_view path, PathKind kind) const;

  // The same, of a path whose directories are known to be taken. For walks, which ask from the top.
  [[nodiscard]] bool excludes_itself(std::string_view path, PathKind kind) const;

  // What the last rule that matches says: leave out, or do not; nothing when none matches, so that
  // weaker rules are to be asked.
  [[nodiscard]] std::optional<bool> verdict(std::string_view path, PathKind kind) const;

 private:
  struct Rule {
    Glob glob;
    bool negated = false;
    bool directories_only = false;
    bool last_component_only = false;  // there is no slash in it
  };
  std::vector<Rule> rules_;
};

// What --include and --exclude say together: with an --include only what one of them matches is
// taken (a file in a directory that one matches, too); what an --exclude matches never is.
struct NameFilter {
  IgnoreRules include = {};
  IgnoreRules exclude = {};

  [[nodiscard]] bool takes_file(std::string_view path) const;
  // Whether a walk need look into the directory at all, `path` being one whose parents it looked
  // into.
  [[nodiscard]] bool enters(std::string_view path) const;
  [[nodiscard]] bool empty() const { return include.empty() && exclude.empty(); }
};

}  // namespace runctl::transfer
