#include "cli/ebs/target.hpp"

#include <utility>

#include <fmt/format.h>

#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"

namespace runctl::cli {

Result<std::optional<Target>> find_target(const Arguments& arguments,
                                          const volume::Session& session) {
  RUNCTL_TRY_LET(auto mount, parse_mount(arguments));
  if (mount && !arguments.has("--instance")) {
    return fail(Errc::invalid_argument, "--mount needs --instance: say on which machine");
  }
  RUNCTL_TRY_LET(auto machine, find_named_instance(arguments, session));
  if (!machine) return std::nullopt;
  return Target{.machine = *std::move(machine), .mount = std::move(mount)};
}

void add_steps(std::vector<std::string>& steps, std::string_view volume,
               const std::optional<Target>& target) {
  if (!target) return;
  steps.push_back(fmt::format("attach {} to instance {}", volume, label_of(target->machine)));
  if (target->mount) add_steps(steps, *target->mount);
}

OperationSpec making_operation(std::string_view kind, std::string source,
                               const std::optional<Target>& target) {
  OperationSpec operation{.kind = std::string{kind}, .subjects = {std::move(source)}};
  boost::json::object plan = volume::plan_of({.mount = target ? target->mount : std::nullopt});
  if (target) {
    operation.subjects.push_back(target->machine.id.str());
    plan["instance"] = target->machine.id.str();
  }
  operation.plan = std::move(plan);
  return operation;
}

void add_placed(std::string& text, boost::json::object& record, const Target& target,
                const volume::Placed& placed) {
  record["instance_id"] = target.machine.id.str();
  record["device"] = placed.device;
  if (!placed.mounted) return;
  text += text_of(*placed.mounted);
  add_to_record(record, *placed.mounted, target.mount->directory);
}

}  // namespace runctl::cli
