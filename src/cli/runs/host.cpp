#include "cli/runs/host.hpp"

#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/ebs/show_text.hpp"
#include "journal/journal.hpp"
#include "node/local_shell.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::chrono::seconds patience{60};
// No machine has it: EC2 counts them up from random numbers.
constexpr std::string_view no_instance = "i-00000000";

Result<volume::InstanceFacts> running(volume::InstanceFacts instance) {
  if (instance.state == volume::InstanceState::running) return instance;
  auto off = fail(Errc::conflict, fmt::format("instance {} is '{}': its runs lie on its disk",
                                              label_of(instance), volume::name_of(instance.state)));
  off.error().hint = instance.state == volume::InstanceState::stopped
                         ? fmt::format("Start it to look: runctl aws start {} --wait", instance.id)
                         : fmt::format("Wait until it runs: runctl aws wait {}", instance.id);
  return off;
}

Result<std::vector<RunHost>> running_hosts(const std::shared_ptr<Cloud>& cloud) {
  RUNCTL_TRY_LET(
      const auto instances,
      volume::list_instances(cloud->aws(), {{.name = "instance-state-name", .values = {"running"}}},
                             cloud->options()));
  std::vector<RunHost> hosts;
  hosts.reserve(instances.size());
  for (const auto& instance : instances) hosts.push_back(host_of(cloud, instance));
  return hosts;
}

// The machine that a run was started on from here.
Result<std::optional<InstanceId>> journalled(Context& context, const Cloud& cloud,
                                             const node::RunId& run) {
  RUNCTL_TRY_LET(const auto journal, journal::Journal::open_existing(journal_path(context)));
  if (journal == nullptr) return std::nullopt;
  RUNCTL_TRY_LET(const auto operations,
                 journal->list({.place = cloud.place(), .subject = run.str(), .limit = 20}));
  for (const auto& operation : operations) {
    for (const auto& step : operation.steps) {
      const auto request = parse_json(step.request);
      if (!request || string_at(*request, "run") != run.str()) continue;
      if (auto id = InstanceId::parse(string_at(*request, "instance").value_or(""))) return *id;
    }
  }
  return std::nullopt;
}

Result<FoundRun> look(const RunHost& host, const node::RunId& run, const Context& context) {
  auto details = node::run_details(host.machine(context.stop), run);
  if (!details) return std::unexpected{host.in_its_words(std::move(details).error())};
  return FoundRun{.host = host, .details = *std::move(details)};
}

// Asks one after the other: a run is on one of them, and mostly it is not asked for this way.
Result<FoundRun> ask_all(const std::vector<RunHost>& hosts, const node::RunId& run,
                         const Context& context) {
  Error missing{.code = Errc::not_found,
                .message = fmt::format("no running machine knows run {}", run.str())};
  for (const RunHost& host : hosts) {
    auto found = look(host, run, context);
    if (found || found.error().code == Errc::cancelled) return found;
    const bool asked = found.error().code == Errc::not_found;
    missing.details.push_back(
        asked ? fmt::format("{} does not know it", host.words)
              : fmt::format("{} could not be asked: {}", host.words, found.error().message));
    if (!asked) missing.code = Errc::unavailable;
  }
  missing.hint =
      "Machines that are switched off were not asked. A run of `runctl local`: add --local.";
  return std::unexpected{std::move(missing)};
}

Result<FoundRun> find_on_its_machine(const std::shared_ptr<Cloud>& cloud, const InstanceId& id,
                                     const node::RunId& run, Context& context) {
  RUNCTL_TRY_LET(auto instance, volume::read_instance(cloud->aws(), id, cloud->options()));
  if (instance.state == volume::InstanceState::terminated ||
      instance.state == volume::InstanceState::shutting_down) {
    return fail(Errc::not_found, fmt::format("run {} was on instance {}, which is terminated: its "
                                             "record and log went with it",
                                             run.str(), id));
  }
  RUNCTL_TRY_LET(const auto on, running(std::move(instance)));
  return look(host_of(cloud, on), run, context);
}

}  // namespace

node::Machine RunHost::machine(const std::stop_token& stop) const {
  return {.shell = is_here() ? *shell_here : cloud->shell(),
          .instance = instance,
          .timeout = patience,
          .stop = stop};
}

std::string RunHost::option() const {
  return is_here() ? " --local" : fmt::format(" --instance {}", instance);
}

Error RunHost::in_its_words(Error error) const {
  if (!is_here()) return error;
  const std::string named = fmt::format("instance {}", no_instance);
  const auto at = error.message.find(named);
  if (at != std::string::npos) error.message.replace(at, named.size(), words);
  std::erase_if(error.context, [&](const std::string& line) { return line.contains(no_instance); });
  return error;
}

std::filesystem::path local_runs_directory(const Context& context) {
  if (const auto state = context.environment.get("XDG_STATE_HOME")) return *state + "/runctl/runs";
  return context.environment.get("HOME").value_or("/var/lib") + "/.local/state/runctl/runs";
}

RunHost host_here(Context& context) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : context.environment.variables) {
    if (name != "RUNCTL_RUNS" && name != "RUNCTL_FILES_ROOT") {
      environment.push_back(fmt::format("{}={}", name, value));
    }
  }
  environment.push_back(fmt::format("RUNCTL_RUNS={}", local_runs_directory(context).string()));
  return {.shell_here = std::make_shared<node::LocalShell>(context.process, context.clock,
                                                           std::move(environment)),
          .instance = InstanceId::parse(no_instance).value(),
          .words = "this machine"};
}

RunHost host_of(std::shared_ptr<Cloud> cloud, const volume::InstanceFacts& instance) {
  return {.cloud = std::move(cloud),
          .instance = instance.id,
          .words = fmt::format("instance {}", label_of(instance))};
}

Result<std::vector<RunHost>> hosts_of(const Arguments& arguments, Context& context) {
  const auto named = arguments.get("--instance");
  if (arguments.has("--local")) {
    if (named) return fail(Errc::invalid_argument, "--local and --instance exclude each other");
    return std::vector{host_here(context)};
  }
  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  if (!named) return running_hosts(cloud);
  RUNCTL_TRY_LET(auto instance, volume::find_instance(cloud->aws(), *named, cloud->options()));
  RUNCTL_TRY_LET(const auto on, running(std::move(instance)));
  return std::vector{host_of(cloud, on)};
}

Result<FoundRun> find_run(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto run, node::RunId::parse(arguments.positional("RUN")));
  const bool named = arguments.has("--local") || arguments.has("--instance");
  std::error_code ignored;
  if (!named && std::filesystem::is_directory(local_runs_directory(context) / run.str(), ignored)) {
    return look(host_here(context), run, context);
  }
  if (named) {
    RUNCTL_TRY_LET(const auto hosts, hosts_of(arguments, context));
    return look(hosts.front(), run, context);
  }
  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  RUNCTL_TRY_LET(const auto instance, journalled(context, *cloud, run));
  if (instance) return find_on_its_machine(cloud, *instance, run, context);
  RUNCTL_TRY_LET(const auto hosts, running_hosts(cloud));
  return ask_all(hosts, run, context);
}

}  // namespace runctl::cli
