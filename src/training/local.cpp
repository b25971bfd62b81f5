#include "training/local.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "training/git_commit.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

Result<fs::path> find_script(const fs::path& script) {
  std::error_code error;
  fs::path path = fs::absolute(script, error).lexically_normal();
  if (error || !fs::is_regular_file(path, error)) {
    return fail(Errc::not_found, fmt::format("there is no script {}", script.string()));
  }
  const bool executable =
      (fs::status(path, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
  if (path.extension() != ".py" && !executable) {
    auto denied =
        fail(Errc::denied, fmt::format("{} is no .py and not executable", script.string()));
    denied.error().hint = fmt::format("chmod +x {}", script.string());
    return denied;
  }
  return path;
}

}  // namespace

Result<node::RunId> new_run_id(const Clock& clock, Random& random) {
  return node::RunId::parse(
      fmt::format("run-{}-{}", iso8601_basic(clock.now()).substr(0, 15), random_hex(random, 6)));
}

Result<node::RunSpec> plan_local(const node::RunId& id, const LocalSpec& spec) {
  RUNCTL_TRY_LET(const auto script, find_script(spec.script));
  if (spec.resume == Resume::yes && spec.checkpoint_directory.empty()) {
    return fail(Errc::invalid_argument,
                "--resume needs --checkpoint-dir: that is where the checkpoints are");
  }
  std::error_code error;
  node::RunSpec run{.id = id,
                    .argv = {},
                    .working_directory = fs::current_path(error).string(),
                    .checkpoint_directory = spec.checkpoint_directory.string(),
                    .git_commit = git_commit_of(script.parent_path())};
  if (error) return fail(Errc::not_found, "the working directory is gone");
  // As on a rented machine, and unbuffered for the same reason: a log that is followed must not
  // lag.
  if (script.extension() == ".py") run.argv = {"/usr/bin/env", "python3", "-u"};
  run.argv.push_back(script.string());
  run.argv.insert(run.argv.end(), spec.arguments.begin(), spec.arguments.end());
  const auto give = [&run](std::string_view name, const fs::path& value) {
    if (!value.empty()) run.environment.push_back({.name = std::string{name}, .value = value});
  };
  give("RUNCTL_DATA_DIR", spec.data_directory);
  give("RUNCTL_OUTPUT_DIR", spec.output_directory);
  if (spec.resume == Resume::yes) give("RUNCTL_RESUME_FROM", spec.checkpoint_directory);
  return run;
}

}  // namespace runctl::training
