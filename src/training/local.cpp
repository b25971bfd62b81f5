#include "training/local.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "io/git_repository.hpp"
#include "training/command_line.hpp"
#include "training/packages.hpp"
#include "training/project_root.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

Result<void> check_can_run(const ProjectRoot& root, const fs::path& script) {
  std::error_code error;
  const auto permissions = fs::status(root.path / root.script, error).permissions();
  if (root.script.ends_with(".py") || (permissions & fs::perms::owner_exec) != fs::perms::none) {
    return {};
  }
  auto denied = fail(Errc::denied, fmt::format("{} is no .py and not executable", script.string()));
  denied.error().hint = fmt::format("chmod +x {}", script.string());
  return denied;
}

// Only for the run's record: what cannot be read is left out.
std::string commit_of(const ProjectRoot& root) {
  if (!root.git_top) return {};
  const auto facts = read_git(*root.git_top);
  return facts ? facts->head : std::string{};
}

}  // namespace

Result<node::RunId> new_run_id(const Clock& clock, Random& random) {
  return node::RunId::parse(
      fmt::format("run-{}-{}", iso8601_basic(clock.now()).substr(0, 15), random_hex(random, 6)));
}

Result<node::RunSpec> plan_local(const node::RunId& id, const LocalSpec& spec) {
  RUNCTL_TRY_LET(const ProjectRoot root, find_project_root(spec.script, spec.home));
  RUNCTL_TRY(check_can_run(root, spec.script));
  if (spec.resume == Resume::yes && spec.checkpoint_directory.empty()) {
    return fail(Errc::invalid_argument,
                "--resume needs --checkpoint-dir: that is where the checkpoints are");
  }
  node::RunSpec run{.id = id,
                    .argv = command_line(root.script, spec.arguments),
                    .working_directory = root.path.string(),
                    .checkpoint_directory = spec.checkpoint_directory.string(),
                    .git_commit = commit_of(root)};
  RUNCTL_TRY_LET(run.packages, find_packages(root, id, {.source = spec.packages}));
  const auto give = [&run](std::string_view name, const fs::path& value) {
    if (!value.empty()) run.environment.push_back({.name = std::string{name}, .value = value});
  };
  give("RUNCTL_DATA_DIR", spec.data_directory);
  give("RUNCTL_OUTPUT_DIR", spec.output_directory);
  give("RUNCTL_GIT_COMMIT", run.git_commit);
  return run;
}

}  // namespace runctl::training
