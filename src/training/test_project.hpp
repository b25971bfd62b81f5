// For tests: a project in a scratch directory, and the system's shell and git in it.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"
#include "training/code_tree.hpp"

namespace runctl::training::testing {

class Project {
 public:
  Project() { std::filesystem::create_directory(root()); }
  [[nodiscard]] std::filesystem::path home() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path root() const { return scratch_.path() / "project"; }

  void write(const std::string& path, const std::string& text = "") const {
    const auto full = root() / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream{full, std::ios::binary} << text;
  }
  // What a shell command says, run in the project.
  [[nodiscard]] std::string said(const std::string& command) const {
    RealProcess process;
    const RealClock clock;
    const auto outcome = process.run(
        {.argv = {"/bin/sh", "-c", "cd \"$0\" && " + command, root().string()},
         .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home().string(),
                         "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
                         "GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}},
        clock.ticks() + std::chrono::seconds{60}, {});
    return outcome ? outcome->out : outcome.error().message;
  }
  void run(const std::string& command) const { (void)said(command); }

  [[nodiscard]] Result<CodeTree> collect(std::vector<std::string> include = {},
                                         const std::string& script = "train.py") const {
    const RealClock clock;
    return collect_code({.script = root() / script,
                         .home = home(),
                         .include_patterns = std::move(include),
                         .now = clock.now()});
  }

 private:
  ScratchDirectory scratch_;
};

[[nodiscard]] inline std::vector<std::string> paths_of(const Result<CodeTree>& tree) {
  std::vector<std::string> paths;
  if (!tree) return {tree.error().message};
  for (const CodeEntry& entry : tree->entries) paths.push_back(entry.path);
  return paths;
}

}  // namespace runctl::training::testing
