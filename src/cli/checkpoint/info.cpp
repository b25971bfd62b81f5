// runctl checkpoint info
#include <fmt/format.h>

#include "base/units.hpp"
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

using checkpoint::Checkpoint;

std::string text_of(const Checkpoint& one, const checkpoint::Place& place) {
  std::string text = key_values({
      {"path", transfer::printable(path_of(one, place))},
      {"format", std::string{in_words(one.finding.format)}},
      {"state", std::string{state_of(one)}},
      {"because", transfer::printable(one.finding.why)},
      {"epoch", epoch_text(one)},
      {"step", step_text(one)},
      {"metrics", metrics_text(one, checkpoint::most_metrics)},
      {"tensors, arrays or members",
       one.finding.items > 0 ? std::to_string(one.finding.items) : ""},
      {"size", bytes_in_words(one.bytes)},
      {"written", written_text(one)},
  });
  if (one.files.size() < 2) return text;
  text += "files:\n";
  for (const checkpoint::PlaceFile& file : one.files) {
    text +=
        fmt::format("  {:>12}  {}\n", bytes_in_words(file.size), transfer::printable(file.name));
  }
  return text;
}

Result<ExitCode> info(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(arguments, context));
  RUNCTL_TRY_LET(const auto found, survey(*place, checkpoint::Depth::structure));
  if (found.checkpoints.empty()) return no_checkpoint(*place);
  if (found.checkpoints.size() > 1) {
    return usage_error(
        fmt::format("{} holds {} checkpoints", transfer::printable(place->path_of("")),
                    found.checkpoints.size()),
        "Name one of them; runctl checkpoint list shows them all.");
  }
  const Checkpoint& one = found.checkpoints.front();
  present(
      context,
      {.text = text_of(one, *place), .record = record_of(one, *place), .id = path_of(one, *place)});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec checkpoint_info{.path = "checkpoint info",
                                  .summary = "what one checkpoint says of itself",
                                  .positionals = checkpoint_path,
                                  .options = connection_options,
                                  .run = info};

}  // namespace runctl::cli
