// runctl checkpoint list
#include <fmt/format.h>

#include "base/units.hpp"
#include "checkpoint/newest.hpp"
#include "checkpoint/survey.hpp"
#include "cli/checkpoint/show.hpp"
#include "cli/checkpoint/target.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/option_specs.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

Result<ExitCode> list(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(arguments, context));
  RUNCTL_TRY_LET(const auto found, survey(*place, checkpoint::Depth::structure));
  const auto order = checkpoint::order_of(found.checkpoints);
  Table table{{"NAME", "FORMAT", "EPOCH", "STEP", "METRICS", "SIZE", "WRITTEN", "STATE"}};
  boost::json::array records;
  std::string ids;
  for (const std::size_t index : order.newest_first) {
    const checkpoint::Checkpoint& one = found.checkpoints[index];
    table.add({shown_name(one, *place), std::string{in_words(one.finding.format)}, epoch_text(one),
               step_text(one), metrics_text(one, 2), bytes_in_words(one.bytes), written_text(one),
               std::string{state_of(one)}});
    records.emplace_back(record_of(one, *place));
    if (!ids.empty()) ids += '\n';
    ids += path_of(one, *place);
  }
  std::string text = table.text();
  if (records.empty()) {
    text = fmt::format("There is no checkpoint in {}.\n", transfer::printable(place->path_of("")));
  }
  present(context, {.text = std::move(text),
                    .record = {{"checkpoints", std::move(records)},
                               {"ordered_by", name_of(order.by)},
                               {"other_files", found.other_files}},
                    .id = std::move(ids)});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec checkpoint_list{.path = "checkpoint list",
                                  .summary = "the checkpoints of a folder, the newest first",
                                  .positionals = checkpoint_path,
                                  .options = connection_options,
                                  .run = list};

}  // namespace runctl::cli
