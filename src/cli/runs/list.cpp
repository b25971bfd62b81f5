// runctl runs list
#include <algorithm>
#include <array>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "cli/runs/host.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 3> options{{
    {.name = "--instance", .value = "INSTANCE", .help = "only those of this machine"},
    {.name = "--local", .help = "those of `runctl local` on this machine"},
    {.name = "--limit",
     .value = "N",
     .help = "at most so many of a machine, the newest (default 20)"},
}};
constexpr std::size_t most_of_a_machine = 20;
// Machines that are asked at once; each takes about a second, most of it waiting.
constexpr std::size_t at_once = 16;

using Answer = Result<std::vector<node::RunReport>>;

std::vector<Answer> ask_hosts(const std::vector<RunHost>& hosts, std::size_t count,
                              const Context& context) {
  std::vector<Answer> answers(hosts.size());
  for (std::size_t first = 0; first < hosts.size(); first += at_once) {
    std::vector<std::jthread> askers;
    for (std::size_t i = first; i < std::min(first + at_once, hosts.size()); ++i) {
      askers.emplace_back(
          [&, i] { answers[i] = node::list_runs(hosts[i].machine(context.stop), count); });
    }
  }
  return answers;
}

std::string ago(const std::optional<std::chrono::sys_seconds>& moment, const Context& context) {
  if (!moment) return "";
  const auto age = std::max(context.clock.now() - *moment, std::chrono::milliseconds{0});
  return fmt::format("{} ago", duration_in_words(age));
}

Result<ExitCode> list(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto wanted, parse_count(arguments, "--limit"));
  RUNCTL_TRY_LET(const auto hosts, hosts_of(arguments, context));
  const auto count = static_cast<std::size_t>(
      std::min<std::int64_t>(wanted.value_or(most_of_a_machine), most_of_a_machine));
  const auto answers = ask_hosts(hosts, count, context);
  boost::json::array records;
  boost::json::array silent;
  Table table{{"RUN", "STATE", "MACHINE", "STARTED", "COMMAND"}};
  std::string ids;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!answers[i]) {
      const Error error = hosts[i].in_its_words(answers[i].error());
      if (error.code == Errc::cancelled) return std::unexpected{error};
      note(context,
           fmt::format("Warning: {} could not be asked: {}", hosts[i].words, error.message));
      silent.push_back({{"instance_id", hosts[i].instance.str()}, {"error", error_record(error)}});
      continue;
    }
    for (const auto& run : *answers[i]) {
      auto record = record_of(run);
      if (!hosts[i].is_here()) record["instance_id"] = hosts[i].instance.str();
      records.push_back(std::move(record));
      ids += run.id.str() + '\n';
      table.add({run.id.str(), std::string{node::name_of(run.state)},
                 hosts[i].is_here() ? "here" : hosts[i].instance.str(), ago(run.started, context),
                 run.command});
    }
  }
  if (!ids.empty()) ids.pop_back();
  const bool complete = silent.empty();
  present(context,
          {.text = records.empty() ? (complete ? "There are no runs.\n" : "") : table.text(),
           .record = {{"runs", std::move(records)}, {"not_asked", std::move(silent)}},
           .id = std::move(ids)});
  return complete ? ExitCode::ok : ExitCode::partial;
}

}  // namespace

const CommandSpec runs_list{.path = "runs list",
                            .summary = "training runs, the newest first",
                            .positionals = {},
                            .options = options,
                            .run = list};

}  // namespace runctl::cli
