// runctl aws status
#include <array>
#include <optional>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/instance/run_text.hpp"
#include "cli/output.hpp"
#include "fleet/spot.hpp"
#include "node/machine_facts.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "INSTANCE", .help = "its id or Name"},
}};
constexpr std::size_t runs_shown = 5;
constexpr std::uint64_t log_shown = 600;  // bytes of the newest run's end
constexpr std::chrono::seconds machine_patience{30};

// What the machine itself says.
struct Inside {
  node::MachineFacts facts;
  std::vector<node::RunReport> runs;
  std::string log_end;
};

Result<Inside> look_inside(const volume::Session& session, const InstanceId& instance) {
  const node::Machine machine{.shell = session.shell,
                              .instance = instance,
                              .timeout = machine_patience,
                              .stop = session.stop};
  Inside inside;
  RUNCTL_TRY_LET(inside.facts, node::inspect(machine));
  RUNCTL_TRY_LET(inside.runs, node::list_runs(machine, runs_shown));
  if (!inside.runs.empty()) {
    // The log's size tells where its end begins.
    RUNCTL_TRY_LET(const auto size,
                   node::run_status(machine, inside.runs.front().id, node::behind_any_log));
    const std::uint64_t from = size.log_size > log_shown ? size.log_size - log_shown : 0;
    RUNCTL_TRY_LET(const auto end, node::run_status(machine, inside.runs.front().id, from));
    inside.log_end = node::to_utf8(end.log);
    if (from > 0) inside.log_end.erase(0, inside.log_end.find('\n') + 1);
  }
  return inside;
}

std::string device_text(const node::DeviceFacts& device) {
  std::string text = fmt::format("  {} {}", device.volume ? device.volume->str() : device.serial,
                                 device.type.empty() ? "no filesystem" : device.type);
  if (device.mounts.empty()) text += ", not mounted";
  for (const auto& mount : device.mounts) {
    text += fmt::format(", at {}{}", mount.mount_point, mount.read_only ? " (read-only)" : "");
  }
  text += '\n';
  for (const auto& user : device.users) {
    text += fmt::format("    used by process {} '{}' ({})\n", user.pid, user.command,
                        join(user.what, ", "));
  }
  return text;
}

std::string inside_text(const Inside& inside) {
  std::string text =
      fmt::format("up:        {}\ndisk:      {} free\n", duration_in_words(inside.facts.uptime),
                  bytes_in_words(inside.facts.root_free_bytes));
  if (!inside.facts.devices.empty()) text += "on the machine:\n";
  for (const auto& device : inside.facts.devices) text += device_text(device);
  if (!inside.runs.empty()) text += "runs:\n";
  for (const auto& run : inside.runs) {
    text += fmt::format("  {} {}: {}\n", run.id.str(), outcome_text(run), run.command);
  }
  if (!inside.log_end.empty()) {
    text += fmt::format("the end of {}'s output:\n", inside.runs.front().id.str());
    for (const std::string_view line : split(trim(inside.log_end), '\n'))
      text += fmt::format("  | {}\n", line);
  }
  return text;
}

boost::json::object device_record(const node::DeviceFacts& device) {
  boost::json::array mounts;
  for (const auto& mount : device.mounts) {
    mounts.push_back({{"mount_point", mount.mount_point},
                      {"options", mount.options},
                      {"read_only", mount.read_only}});
  }
  boost::json::array users;
  for (const auto& user : device.users) {
    users.push_back({{"pid", user.pid}, {"command", user.command}, {"what", join(user.what, ",")}});
  }
  return {
      {"device", device.device},         {"volume_id", device.volume ? device.volume->str() : ""},
      {"filesystem", device.type},       {"uuid", device.uuid},
      {"size_bytes", device.size_bytes}, {"read_only", device.read_only},
      {"mounts", std::move(mounts)},     {"users", std::move(users)}};
}

void add_to(boost::json::object& record, const Inside& inside) {
  record["uptime_s"] = inside.facts.uptime.count();
  record["root_free_bytes"] = inside.facts.root_free_bytes;
  boost::json::array devices;
  for (const auto& device : inside.facts.devices) devices.push_back(device_record(device));
  record["on_machine"] = std::move(devices);
  boost::json::array runs;
  for (const auto& run : inside.runs) runs.push_back(record_of(run));
  record["runs"] = std::move(runs);
  record["log_end"] = inside.log_end;
}

// What EC2 says of the machine is shown also where its spot request cannot be read.
void add_spot(Presentation& presentation, const volume::Session& session,
              const volume::InstanceFacts& instance) {
  const auto spot = fleet::read_spot_request(session, instance);
  if (!spot) {
    presentation.text += fmt::format("spot:      {}\n", spot.error().message);
    presentation.record["spot_error"] = error_record(spot.error());
    return;
  }
  const std::optional<fleet::SpotFacts>& facts = *spot;
  if (!facts) return;
  presentation.text += fmt::format("spot:      {}\n", fleet::in_words(*facts));
  presentation.record["spot"] =
      boost::json::object{{"request_id", facts->request},
                          {"type", facts->persistent ? "persistent" : "one-time"},
                          {"state", facts->state},
                          {"status", facts->code},
                          {"on_interruption", facts->behavior},
                          {"max_price", facts->max_price}};
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(
      const auto instance,
      volume::find_instance(cloud->aws(), arguments.positional("INSTANCE"), session.options()));
  Presentation presentation{
      .text = text_of(instance), .record = record_of(instance), .id = instance.id.str()};
  add_spot(presentation, session, instance);
  if (instance.state == volume::InstanceState::running) {
    const auto inside = look_inside(session, instance.id);
    if (inside) {
      presentation.text += inside_text(*inside);
      add_to(presentation.record, *inside);
    } else {
      // What EC2 says is shown all the same.
      presentation.text += fmt::format("machine:   {}\n", inside.error().message);
      presentation.record["machine_error"] = error_record(inside.error());
    }
  }
  present(context, presentation);
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_status{.path = "aws status",
                             .summary = "a machine, its volumes, what uses them, its runs",
                             .positionals = positionals,
                             .options = {},
                             .run = show};

}  // namespace runctl::cli
