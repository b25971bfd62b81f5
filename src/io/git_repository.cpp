#include "io/git_repository.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <git2.h>

#include "io/shared_library.hpp"

namespace runctl {
namespace {

// The headers that we are compiled with and the library must be of one version: libgit2 changes its
// soname with each minor one.
constexpr const char* soname = "libgit2.so." LIBGIT2_SOVERSION;
constexpr const char* package = "libgit2-" LIBGIT2_SOVERSION;

struct Git {
  decltype(&::git_libgit2_init) init = nullptr;
  decltype(&::git_libgit2_opts) opts = nullptr;
  decltype(&::git_error_last) error_last = nullptr;
  decltype(&::git_repository_open_ext) open = nullptr;
  decltype(&::git_repository_free) close = nullptr;
  decltype(&::git_repository_commondir) commondir = nullptr;
  decltype(&::git_repository_index) index = nullptr;
  decltype(&::git_index_free) index_free = nullptr;
  decltype(&::git_index_entrycount) entrycount = nullptr;
  decltype(&::git_index_get_byindex) entry = nullptr;
  decltype(&::git_reference_name_to_id) name_to_id = nullptr;
  decltype(&::git_oid_tostr) oid_text = nullptr;
  decltype(&::git_repository_config_snapshot) config = nullptr;
  decltype(&::git_config_free) config_free = nullptr;
  decltype(&::git_config_get_path) config_path = nullptr;
  decltype(&::git_config_find_xdg) find_xdg = nullptr;
  decltype(&::git_buf_dispose) buf_dispose = nullptr;
};

Result<Git> load_git() {
  RUNCTL_TRY_LET(void* const library, load_library(soname, package));
  Git git;
  RUNCTL_TRY(find_function(library, "git_libgit2_init", git.init));
  RUNCTL_TRY(find_function(library, "git_libgit2_opts", git.opts));
  RUNCTL_TRY(find_function(library, "git_error_last", git.error_last));
  RUNCTL_TRY(find_function(library, "git_repository_open_ext", git.open));
  RUNCTL_TRY(find_function(library, "git_repository_free", git.close));
  RUNCTL_TRY(find_function(library, "git_repository_commondir", git.commondir));
  RUNCTL_TRY(find_function(library, "git_repository_index", git.index));
  RUNCTL_TRY(find_function(library, "git_index_free", git.index_free));
  RUNCTL_TRY(find_function(library, "git_index_entrycount", git.entrycount));
  RUNCTL_TRY(find_function(library, "git_index_get_byindex", git.entry));
  RUNCTL_TRY(find_function(library, "git_reference_name_to_id", git.name_to_id));
  RUNCTL_TRY(find_function(library, "git_oid_tostr", git.oid_text));
  RUNCTL_TRY(find_function(library, "git_repository_config_snapshot", git.config));
  RUNCTL_TRY(find_function(library, "git_config_free", git.config_free));
  RUNCTL_TRY(find_function(library, "git_config_get_path", git.config_path));
  RUNCTL_TRY(find_function(library, "git_config_find_xdg", git.find_xdg));
  RUNCTL_TRY(find_function(library, "git_buf_dispose", git.buf_dispose));
  if (git.init() < 0) return fail(Errc::internal, "libgit2 cannot be set up");
  // Git refuses another user's repository because of what its configuration can make it run. We run
  // nothing of it, and people do mount their trees into containers.
  (void)git.opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  return git;
}

std::unexpected<Error> failed(const Git& git, const std::filesystem::path& top) {
  const git_error* const error = git.error_last();
  return fail(Errc::corrupt, fmt::format("cannot read the git repository of {}: {}", top.string(),
                                         error == nullptr ? "no reason given" : error->message));
}

void read_entries(const Git& git, git_index* index, GitFacts& facts) {
  const std::size_t count = git.entrycount(index);
  facts.tracked.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const git_index_entry* const entry = git.entry(index, i);
    const bool is_submodule = entry->mode == GIT_FILEMODE_COMMIT;
    auto& list = is_submodule ? facts.submodules : facts.tracked;
    // In a merge a path is there once for each side.
    if (list.empty() || list.back() != entry->path) list.emplace_back(entry->path);
  }
}

// Where git looks when core.excludesFile says nothing.
// Source: gitignore(5): $XDG_CONFIG_HOME/git/ignore, or $HOME/.config/git/ignore.
void read_excludes_file(const Git& git, git_repository* repository, GitFacts& facts) {
  git_config* raw = nullptr;
  if (git.config(&raw, repository) != 0) return;
  const std::unique_ptr<git_config, decltype(git.config_free)> config{raw, git.config_free};
  git_buf path{};
  if (git.config_path(&path, config.get(), "core.excludesfile") == 0) {
    facts.ignore_files.emplace_back(path.ptr);
  } else if (git.find_xdg(&path) == 0) {
    facts.ignore_files.push_back(std::filesystem::path{path.ptr}.parent_path() / "ignore");
  }
  git.buf_dispose(&path);
}

}  // namespace

Result<GitFacts> read_git(const std::filesystem::path& top) {
  RUNCTL_TRY_LET(const Git git, load_git());
  git_repository* raw = nullptr;
  if (git.open(&raw, top.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0)
    return failed(git, top);
  const std::unique_ptr<git_repository, decltype(git.close)> repository{raw, git.close};
  GitFacts facts;
  git_index* raw_index = nullptr;
  if (git.index(&raw_index, repository.get()) != 0) return failed(git, top);
  const std::unique_ptr<git_index, decltype(git.index_free)> index{raw_index, git.index_free};
  read_entries(git, index.get(), facts);
  git_oid head{};
  if (git.name_to_id(&head, repository.get(), "HEAD") == 0) {
    std::array<char, GIT_OID_HEXSZ + 1> text{};
    facts.head = git.oid_text(text.data(), text.size(), &head);
  }
  read_excludes_file(git, repository.get(), facts);
  facts.ignore_files.push_back(std::filesystem::path{git.commondir(repository.get())} / "info" /
                               "exclude");
  return facts;
}

}  // namespace runctl
