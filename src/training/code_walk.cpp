#include "training/code_walk.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "io/directory_reader.hpp"
#include "io/git_repository.hpp"
#include "training/rule_stack.hpp"
#include "training/secrets.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;
using transfer::PathKind;

// Of a folder without git. Source: the Python template of github.com/github/gitignore; what else
// is in it (build/, dist/, *.egg-info) people may well want.
constexpr std::string_view without_git_rules =
    "__pycache__/\n*.pyc\n.venv/\nvenv/\nnode_modules/\n.ipynb_checkpoints/\n.mypy_cache/\n"
    ".pytest_cache/\n.ruff_cache/\n.tox/\n.nox/\n.hg/\n.svn/\n.DS_Store\n";

// Each level is an open folder.
constexpr int deepest = 200;

// A git working tree that the walk is in.
struct Repository {
  GitFacts facts;
  std::string base;      // where its top is, below the root: "" or "a/b/"
  std::string above;     // where the root is, below its top: "" or "a/b/"
  RuleStack rules = {};  // relative to its top
};

// What holds in a folder.
struct Place {
  std::string prefix = {};  // "" or "a/b/"
  Repository* repository = nullptr;
  std::span<const std::string> tracked = {};  // below this folder
  bool git_ignored = false;
  bool left_out = false;  // by .runctlignore
  bool included = false;  // whole, by a pattern
  bool secret = false;
  int depth = 0;
};

std::int64_t nanoseconds_of(FileTimestamp time) { return time.time_since_epoch().count(); }

FileStamp stamp_of(const FileFacts& facts) {
  return {.size = facts.size,
          .modified_ns = nanoseconds_of(facts.modified),
          .changed_ns = nanoseconds_of(facts.changed),
          .inode = facts.inode};
}

// Those of sorted paths that begin with `prefix`.
std::span<const std::string> below(std::span<const std::string> paths, const std::string& prefix) {
  const auto first = std::ranges::lower_bound(paths, prefix);
  auto last = first;
  std::string end = prefix;
  if (!end.empty()) {
    end.back() = static_cast<char>(end.back() + 1);  // '/' becomes '0'
    last = std::lower_bound(first, paths.end(), end);
  } else {
    last = paths.end();
  }
  return {first, last};
}

class Walk {
 public:
  Walk(const CodeRequest& request, CodeTree& tree) : request_{request}, tree_{tree} {}

  Result<void> start() {
    RUNCTL_TRY_LET(inclusions_, Inclusions::parse(request_.include_patterns));
    const ProjectRoot& root = tree_.root;
    RUNCTL_TRY_LET(const DirectoryReader folder, DirectoryReader::open(root.path));
    if (root.marker == RootMarker::alone || request_.script_alone) {
      RUNCTL_TRY_LET(const FileFacts facts, folder.facts(root.script, Links::shown));
      return take({}, folder, root.script, facts);
    }
    Place place;
    if (root.git_top) RUNCTL_TRY(open_root_repository(place));
    if (place.repository == nullptr) without_git_.push("", without_git_rules);
    RUNCTL_TRY(look_into(std::move(place), folder));
    std::ranges::sort(tree_.entries, {}, &CodeEntry::path);
    std::ranges::sort(tree_.left_out, {}, &LeftOut::path);
    return {};
  }

 private:
  Result<void> open_root_repository(Place& place);
  // Nothing when it cannot be read.
  Result<Repository*> open_repository(const fs::path& top, std::string base);
  Result<void> enter_repository(Place& place, const fs::path& top);
  Result<void> look_into(Place place, const DirectoryReader& folder);
  Result<void> look_at(const Place& place, const DirectoryReader& folder, const std::string& name,
                       FileKind kind);
  Result<void> look_at_file(const Place& place, const DirectoryReader& folder,
                            const std::string& name);
  Result<void> enter(const Place& place, const DirectoryReader& folder, const std::string& name);
  Result<void> take(const Place& place, const DirectoryReader& folder, const std::string& name,
                    const FileFacts& facts);
  Result<void> take_link(CodeEntry entry, const DirectoryReader& folder, const std::string& name);

  [[nodiscard]] RuleStack& git_rules(const Place& place) {
    return place.repository == nullptr ? without_git_ : place.repository->rules;
  }
  // Git's rules are relative to the top of the repository.
  [[nodiscard]] static std::string in_repository(const Place& place, std::string_view path) {
    if (place.repository == nullptr) return std::string{path};
    const Repository& repository = *place.repository;
    return repository.above + std::string{path.substr(repository.base.size())};
  }

  const CodeRequest& request_;
  CodeTree& tree_;
  Inclusions inclusions_;
  RuleStack without_git_;
  RuleStack own_rules_;  // .runctlignore
  std::vector<std::unique_ptr<Repository>> repositories_;
};

Result<Repository*> Walk::open_repository(const fs::path& top, std::string base) {
  auto facts = read_git(top);
  if (!facts) {
    tree_.git_fault = facts.error().message;
    return nullptr;
  }
  auto repository = std::make_unique<Repository>(
      Repository{.facts = *std::move(facts), .base = std::move(base), .above = {}});
  for (const fs::path& file : repository->facts.ignore_files) {
    RUNCTL_TRY(repository->rules.push_file("", file));
  }
  repositories_.push_back(std::move(repository));
  return repositories_.back().get();
}

// The root may be below the top: then the rules above it hold too, and if they ignore the root
// itself, it is no part of the repository.
Result<void> Walk::open_root_repository(Place& place) {
  const fs::path& top = *tree_.root.git_top;
  RUNCTL_TRY_LET(Repository* const repository, open_repository(top, ""));
  if (repository == nullptr) return {};
  const fs::path way = tree_.root.path.lexically_relative(top);
  std::string above;
  fs::path at = top;
  for (const fs::path& component : way) {
    if (component == ".") continue;
    RUNCTL_TRY(repository->rules.push_file(above, at / ".gitignore"));
    above += component.string();
    const bool ignored = repository->rules.excludes_itself(above, PathKind::directory);
    above += '/';
    if (ignored && below(repository->facts.tracked, above).empty()) return {};
    at /= component;
  }
  repository->above = above;
  place.repository = repository;
  place.tracked = below(repository->facts.tracked, above);
  tree_.commit = repository->facts.head;
  return {};
}

Result<void> Walk::enter_repository(Place& place, const fs::path& top) {
  RUNCTL_TRY_LET(Repository* const repository, open_repository(top, place.prefix));
  if (repository == nullptr) return {};
  place.repository = repository;
  place.tracked = repository->facts.tracked;
  return {};
}

Result<void> Walk::look_into(Place place, const DirectoryReader& folder) {
  if (place.depth > deepest) {
    return fail(Errc::invalid_argument,
                fmt::format("{} lies more than {} folders deep", folder.path().string(), deepest));
  }
  RUNCTL_TRY_LET(const NameList names, folder.names());
  bool has_git = false;
  bool has_git_rules = false;
  bool has_own_rules = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names.name(i);
    has_git = has_git || name == ".git";
    has_git_rules = has_git_rules || name == ".gitignore";
    has_own_rules = has_own_rules || name == ".runctlignore";
  }
  // A submodule, or another working tree: it has its own index and rules.
  if (has_git && !place.prefix.empty() && !place.included) {
    RUNCTL_TRY(enter_repository(place, folder.path()));
  }
  RuleStack& rules = git_rules(place);
  const std::size_t before = rules.size();
  const std::size_t own_before = own_rules_.size();
  if (has_git_rules) {
    RUNCTL_TRY(rules.push_file(in_repository(place, place.prefix), folder.path() / ".gitignore"));
  }
  if (has_own_rules) {
    RUNCTL_TRY(own_rules_.push_file(place.prefix, folder.path() / ".runctlignore"));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name{names.name(i)};
    if (name != ".git") RUNCTL_TRY(look_at(place, folder, name, names.kind(i)));
  }
  while (rules.size() > before) rules.pop();
  while (own_rules_.size() > own_before) own_rules_.pop();
  return {};
}

Result<void> Walk::look_at(const Place& place, const DirectoryReader& folder,
                           const std::string& name, FileKind kind) {
  if (kind == FileKind::unknown) {
    const auto facts = folder.facts(name, Links::shown);
    if (!facts && facts.error().code == Errc::not_found) return {};
    if (!facts) return std::unexpected{facts.error()};
    kind = facts->kind;
  }
  return kind == FileKind::directory ? enter(place, folder, name)
                                     : look_at_file(place, folder, name);
}

Result<void> Walk::look_at_file(const Place& place, const DirectoryReader& folder,
                                const std::string& name) {
  const std::string path = place.prefix + name;
  if (path != tree_.root.script) {
    if ((place.secret || is_secret(name)) && !inclusions_.name_exactly(path)) {
      tree_.left_out.push_back({.path = path, .reason = LeftOutReason::secret});
      return {};
    }
    const bool taken = place.included || inclusions_.takes(path, PathKind::file);
    if (!taken) {
      if (place.left_out || own_rules_.excludes_itself(path, PathKind::file)) return {};
      const std::string known = in_repository(place, path);
      const bool tracked = std::ranges::binary_search(place.tracked, known);
      if (!tracked &&
          (place.git_ignored || git_rules(place).excludes_itself(known, PathKind::file))) {
        return {};
      }
    }
  }
  const auto facts = folder.facts(name, Links::shown);
  if (!facts && facts.error().code == Errc::not_found) return {};  // it was there a moment ago
  if (!facts) return std::unexpected{facts.error()};
  return take(place, folder, name, *facts);
}

Result<void> Walk::enter(const Place& place, const DirectoryReader& folder,
                         const std::string& name) {
  const std::string path = place.prefix + name;
  Place inner = place;
  inner.prefix = path + '/';
  ++inner.depth;
  inner.secret = place.secret || is_secret_folder(name);
  if (inner.secret && !inclusions_.name_below(path)) {
    tree_.left_out.push_back({.path = inner.prefix, .reason = LeftOutReason::secret});
    return {};
  }
  const std::string known = in_repository(place, path);
  inner.tracked = below(place.tracked, known + '/');
  const bool is_submodule = place.repository != nullptr &&
                            std::ranges::binary_search(place.repository->facts.submodules, known);
  inner.included = place.included || inclusions_.takes(path, PathKind::directory);
  inner.git_ignored = !is_submodule && (place.git_ignored || git_rules(place).excludes_itself(
                                                                 known, PathKind::directory));
  inner.left_out = place.left_out || own_rules_.excludes_itself(path, PathKind::directory);
  const bool wanted = !inner.left_out && (!inner.git_ignored || !inner.tracked.empty());
  const bool leads_on = inclusions_.lead_below(path) || inclusions_.name_below(path) ||
                        tree_.root.script.starts_with(inner.prefix);
  if (!wanted && !inner.included && !leads_on) return {};
  const auto opened = folder.open_below(name, Links::shown);
  if (!opened && opened.error().code == Errc::denied) {
    tree_.left_out.push_back({.path = inner.prefix, .reason = LeftOutReason::unreadable});
    return {};
  }
  if (!opened && opened.error().code == Errc::not_found) return {};
  if (!opened) return std::unexpected{opened.error()};
  return look_into(std::move(inner), *opened);
}

Result<void> Walk::take(const Place& place, const DirectoryReader& folder, const std::string& name,
                        const FileFacts& facts) {
  CodeEntry entry{.path = place.prefix + name, .stamp = stamp_of(facts)};
  if (facts.kind == FileKind::symlink) return take_link(std::move(entry), folder, name);
  if (facts.kind == FileKind::directory) return {};  // it was a file a moment ago
  if (facts.kind != FileKind::file) {
    tree_.left_out.push_back({.path = std::move(entry.path), .reason = LeftOutReason::special});
    return {};
  }
  constexpr unsigned owner_may_run = 0100;
  if ((facts.mode & owner_may_run) != 0) entry.kind = EntryKind::executable;
  tree_.entries.push_back(std::move(entry));
  if (tree_.entries.size() <= most_code_files) return {};
  auto many =
      fail(Errc::invalid_argument,
           fmt::format("{} has more than {} files to send; it was taken for the project by "
                       "{}",
                       tree_.root.path.string(), most_code_files, in_words(tree_.root.marker)));
  many.error().hint =
      "Put an empty .runctl.toml into the folder that is the project, leave files out with "
      ".runctlignore, or send the script alone with --no-sync-code.";
  return many;
}

Result<void> Walk::take_link(CodeEntry entry, const DirectoryReader& folder,
                             const std::string& name) {
  RUNCTL_TRY_LET(entry.target, folder.link_target(name));
  std::error_code error;
  const fs::path target{entry.target};
  // As far as it exists, what it leads to over other links; beyond, by its words.
  const fs::path end = fs::weakly_canonical(folder.path() / target, error);
  const fs::path inside = error ? fs::path{".."} : end.lexically_relative(tree_.root.path);
  if (inside.empty() || *inside.begin() == "..") {
    if (entry.path == tree_.root.script) {
      return fail(Errc::invalid_argument,
                  fmt::format("the script {} is a link that leads out of the project {}",
                              entry.path, tree_.root.path.string()));
    }
    tree_.left_out.push_back({.path = std::move(entry.path), .reason = LeftOutReason::link_out});
    return {};
  }
  // The project lies elsewhere on the machine.
  if (target.is_absolute()) entry.target = end.lexically_relative(folder.path()).string();
  entry.kind = EntryKind::link;
  entry.hash = sha256(entry.target);
  entry.stamp.size = 0;
  tree_.entries.push_back(std::move(entry));
  return {};
}

}  // namespace

Result<void> walk_project(const CodeRequest& request, CodeTree& tree) {
  return Walk{request, tree}.start();
}

}  // namespace runctl::training
