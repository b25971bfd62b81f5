// runctl emulator fault add|list|clear
#include <array>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 3> add_positionals{{
    {.name = "TARGET",
     .help = "AttachVolume; Describe* is all that begin so; * is all; or a machine: i-0123…"},
    {.name = "EFFECT", .help = "what goes wrong, of requests or of the machine: the list is below"},
    {.name = "SETTING",
     .help = "rate=R, times=N, skip=N, code=CODE, status=N, ms=N, bps=N",
     .need = PositionalSpec::Need::rest},
}};

constexpr std::array<PositionalSpec, 1> clear_positionals{{
    {.name = "TARGET",
     .help = "only those of that action or machine, as `fault list` shows it",
     .need = PositionalSpec::Need::optional},
}};

ExitCode show(Context& context, const std::vector<std::string>& rules) {
  std::string text;
  boost::json::array records;
  for (const std::string& rule : rules) {
    text += rule + '\n';
    records.emplace_back(rule);
  }
  if (rules.empty()) text = "Nothing goes wrong on demand.\n";
  present(context, {.text = std::move(text), .record = {{"faults", std::move(records)}}});
  return ExitCode::ok;
}

Result<ExitCode> add(const Arguments& arguments, Context& context) {
  std::vector<std::string> words{arguments.positional("TARGET"), arguments.positional("EFFECT")};
  for (const std::string& setting : arguments.rest("SETTING")) words.push_back(setting);
  RUNCTL_TRY_LET(const auto rules,
                 context.emulator.add_fault(context.globals.emulator_state, words));
  return show(context, rules);
}

Result<ExitCode> list(const Arguments&, Context& context) {
  RUNCTL_TRY_LET(const auto rules, context.emulator.list_faults(context.globals.emulator_state));
  return show(context, rules);
}

Result<ExitCode> clear(const Arguments& arguments, Context& context) {
  const auto words = arguments.rest("TARGET");
  RUNCTL_TRY_LET(const auto rules,
                 context.emulator.clear_faults(context.globals.emulator_state,
                                               words.empty() ? std::string{} : words.front()));
  return show(context, rules);
}

}  // namespace

const CommandSpec emulator_fault_add{.path = "emulator fault add",
                                     .summary = "make requests or machines go wrong",
                                     .positionals = add_positionals,
                                     .options = {},
                                     .danger = Danger::changes,
                                     .run = add};
const CommandSpec emulator_fault_list{.path = "emulator fault list",
                                      .summary = "the faults in force",
                                      .positionals = {},
                                      .options = {},
                                      .run = list};
const CommandSpec emulator_fault_clear{.path = "emulator fault clear",
                                       .summary = "let nothing go wrong any more",
                                       .positionals = clear_positionals,
                                       .options = {},
                                       .danger = Danger::changes,
                                       .run = clear};

}  // namespace runctl::cli
