// The ignore rules that hold in a folder: those of its own file and of the files above it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "transfer/ignore_rules.hpp"

namespace runctl::training {

// Rule files, the weaker first: git asks the deepest one first, and the first that has an answer
// counts. Paths are relative to one folder, above which no rules come from but those that are
// pushed with the base "". Source: gitignore(5), "PATTERN FORMAT" and the order before it.
class RuleStack {
 public:
  // `base` is the folder that the file lies in: "" or "a/b/".
  void push(std::string base, std::string_view text);
  // The same of a file, which need not be there. Whether there was one. Errors: as read_file.
  Result<bool> push_file(std::string base, const std::filesystem::path& path);
  void pop() { files_.pop_back(); }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

  // Whether the path itself is left out; its folders are the caller's business.
  [[nodiscard]] bool excludes_itself(std::string_view path, transfer::PathKind kind) const;

 private:
  struct RuleFile {
    std::string base;
    transfer::IgnoreRules rules;
  };
  std::vector<RuleFile> files_;
};

// What --include-pattern says: what is sent though rules leave it out.
class Inclusions {
 public:
  // Patterns in gitignore's syntax, relative to the root. Errors: invalid_argument for one that
  // begins with '!', which would mean nothing, and for an empty one.
  [[nodiscard]] static Result<Inclusions> parse(const std::vector<std::string>& patterns);

  [[nodiscard]] bool takes(std::string_view path, transfer::PathKind kind) const {
    return rules_.excludes_itself(path, kind);
  }
  // Whether something in the folder could be taken by a pattern that names its way there. One
  // without a '/' does not lead into ignored folders: "*.yaml" would else take a whole virtual
  // environment's.
  [[nodiscard]] bool lead_below(std::string_view folder) const;
  // Whether a pattern without wildcards is this very path, or its last component.
  [[nodiscard]] bool name_exactly(std::string_view path) const;
  // Whether a pattern without wildcards is below this folder.
  [[nodiscard]] bool name_below(std::string_view folder) const;

 private:
  struct Anchored {
    std::vector<transfer::Glob> components;
    bool everywhere = false;  // a "**" follows them
  };
  transfer::IgnoreRules rules_;
  std::vector<Anchored> anchored_;
  std::vector<std::string> exact_;
};

}  // namespace runctl::training
