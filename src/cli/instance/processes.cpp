// runctl aws processes
#include "node/processes.hpp"

#include <array>
#include <chrono>
#include <ostream>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "volume/machine.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "INSTANCE", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> options{{
    {.name = "--watch", .help = "again and again, until Ctrl-C"},
}};
constexpr std::size_t shown = 20;
constexpr std::chrono::seconds between{1};
constexpr std::chrono::seconds patience{30};
constexpr std::chrono::seconds watch_pause{1};

std::string number_or(const std::optional<std::int64_t>& number, std::string_view unit) {
  return number ? fmt::format("{}{}", *number, unit) : "?";
}

std::string text_of(const node::Load& load) {
  std::string text =
      fmt::format("processors: {}, load {:.2f}\nmemory:     {} of {} in use\n", load.cpus,
                  load.load, bytes_in_words(load.memory_total_bytes - load.memory_available_bytes),
                  bytes_in_words(load.memory_total_bytes));
  for (const auto& gpu : load.gpus) {
    text +=
        fmt::format("GPU {}:      {}: {}, {} of {} in use, {}\n", gpu.index, gpu.name,
                    number_or(gpu.utilization_percent, "%"), number_or(gpu.memory_used_mib, " MiB"),
                    number_or(gpu.memory_total_mib, " MiB"), number_or(gpu.temperature_c, " °C"));
  }
  const bool with_gpu = !load.gpus.empty();
  std::vector<std::string> head{"PID", "CPU", "MEMORY", "USER", "RUN", "COMMAND"};
  if (with_gpu) head.insert(head.begin() + 3, "GPU MEMORY");
  Table table{std::move(head)};
  for (const auto& process : load.processes) {
    std::vector<std::string> row{std::to_string(process.pid),
                                 fmt::format("{:.1f}%", process.cpu_percent),
                                 bytes_in_words(process.memory_bytes),
                                 process.user,
                                 process.run_id.empty() ? "-" : process.run_id,
                                 process.command.substr(0, 80)};
    if (with_gpu) row.insert(row.begin() + 3, fmt::format("{} MiB", process.gpu_memory_mib));
    table.add(std::move(row));
  }
  return text + table.text();
}

boost::json::object record_of(const InstanceId& instance, const node::Load& load) {
  boost::json::array gpus;
  const auto or_null = [](const std::optional<std::int64_t>& number) {
    return number ? boost::json::value(*number) : boost::json::value(nullptr);
  };
  for (const auto& gpu : load.gpus) {
    gpus.push_back({{"index", gpu.index},
                    {"name", gpu.name},
                    {"utilization_percent", or_null(gpu.utilization_percent)},
                    {"memory_used_mib", or_null(gpu.memory_used_mib)},
                    {"memory_total_mib", or_null(gpu.memory_total_mib)},
                    {"temperature_c", or_null(gpu.temperature_c)}});
  }
  boost::json::array processes;
  for (const auto& process : load.processes) {
    processes.push_back({{"pid", process.pid},
                         {"cpu_percent", process.cpu_percent},
                         {"memory_bytes", process.memory_bytes},
                         {"gpu_memory_mib", process.gpu_memory_mib},
                         {"user", process.user},
                         {"run_id", process.run_id},
                         {"command", process.command}});
  }
  return {{"instance_id", instance.str()},
          {"cpus", load.cpus},
          {"load", load.load},
          {"memory_total_bytes", load.memory_total_bytes},
          {"memory_available_bytes", load.memory_available_bytes},
          {"gpus", std::move(gpus)},
          {"processes", std::move(processes)}};
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  const auto machine = volume::machine_of(session, instance.id, patience);
  const bool watch = arguments.has("--watch");
  while (true) {
    const auto load = node::read_load(machine, shown, between);
    // To end by Ctrl-C is how watching ends.
    if (!load && watch && load.error().code == Errc::cancelled) return ExitCode::ok;
    if (!load) return std::unexpected{load.error()};
    // On a terminal the new picture stands where the old one stood.
    if (watch && context.width > 0 && context.globals.output == OutputFormat::text) {
      context.out << "\033[H\033[2J";
    }
    present(
        context,
        {.text = text_of(*load), .record = record_of(instance.id, *load), .id = instance.id.str()});
    if (!watch || !context.out) return ExitCode::ok;
    const auto wake = session.clock.ticks() + watch_pause;
    if (wake > session.deadline) return ExitCode::ok;
    if (!session.clock.sleep_until(wake, session.stop)) return ExitCode::ok;
  }
}

}  // namespace

const CommandSpec aws_processes{.path = "aws processes",
                                .summary = "what takes a machine's processors, memory and GPUs",
                                .positionals = positionals,
                                .options = options,
                                .run = show};

}  // namespace runctl::cli
