// runctl checkpoint verify
#include <array>
#include <map>

#include <fmt/format.h>

#include "base/units.hpp"
#include "checkpoint/newest.hpp"
#include "checkpoint/survey.hpp"
#include "cli/checkpoint/show.hpp"
#include "cli/checkpoint/target.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/option_specs.hpp"
#include "cli/s3/options.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 1> own_options{{
    {.name = "--quick", .help = "look at structure alone, and read no contents"},
}};
constexpr auto options = joined(own_options, connection_options);

std::string summary_of(const std::map<std::string_view, std::uint64_t>& states, std::uint64_t all) {
  std::string text = counted(all, "checkpoint");
  char before = ':';
  for (const auto& [state, count] : states) {
    text += fmt::format("{} {} {}", before, count, state);
    before = ',';
  }
  return text + ".\n";
}

Result<ExitCode> verify(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(arguments, context));
  const auto depth =
      arguments.has("--quick") ? checkpoint::Depth::structure : checkpoint::Depth::contents;
  RUNCTL_TRY_LET(const auto found, survey(*place, depth));
  if (found.checkpoints.empty()) return no_checkpoint(*place);
  Table table{{"NAME", "FORMAT", "SIZE", "STATE", "BECAUSE"}};
  boost::json::array records;
  std::map<std::string_view, std::uint64_t> states;
  std::string damaged;
  for (const std::size_t index : checkpoint::order_of(found.checkpoints).newest_first) {
    const checkpoint::Checkpoint& one = found.checkpoints[index];
    table.add({shown_name(one, *place), std::string{in_words(one.finding.format)},
               bytes_in_words(one.bytes), std::string{state_of(one)},
               transfer::printable(one.finding.why)});
    records.emplace_back(record_of(one, *place));
    ++states[state_of(one)];
    if (state_of(one) != "damaged") continue;
    if (!damaged.empty()) damaged += '\n';
    damaged += path_of(one, *place);
  }
  boost::json::object counts;
  for (const auto& [state, count] : states) counts[state] = count;
  present(context, {.text = table.text() + summary_of(states, found.checkpoints.size()),
                    .record = {{"checkpoints", std::move(records)}, {"states", std::move(counts)}},
                    .id = damaged});
  return damaged.empty() ? ExitCode::ok : ExitCode::failure;
}

}  // namespace

const CommandSpec checkpoint_verify{
    .path = "checkpoint verify",
    .summary = "whether checkpoints are whole; exit 1 for a damaged one",
    .positionals = checkpoint_path,
    .options = options,
    .run = verify};

}  // namespace runctl::cli
