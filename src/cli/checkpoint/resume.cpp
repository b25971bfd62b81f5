// runctl checkpoint resume
#include <array>

#include <fmt/format.h>

#include "base/units.hpp"
#include "checkpoint/newest.hpp"
#include "cli/checkpoint/show.hpp"
#include "cli/checkpoint/target.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/option_specs.hpp"
#include "cli/s3/report.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

using checkpoint::Newest;

constexpr std::array<OptionSpec, 1> own_options{{
    {.name = "--accept-unknown",
     .help = "take a checkpoint of a format that cannot be checked, too"},
}};
constexpr auto options = joined(own_options, connection_options);

std::vector<std::string> skipped_lines(const Newest& newest) {
  std::vector<std::string> lines;
  lines.reserve(newest.skipped.size());
  for (const checkpoint::Skipped& one : newest.skipped) {
    lines.push_back(
        fmt::format("{}: {}", transfer::printable(one.name), transfer::printable(one.why)));
  }
  return lines;
}

std::unexpected<Error> none_good(const Newest& newest, const checkpoint::Place& place,
                                 bool accepts_unknown) {
  if (newest.skipped.empty()) return no_checkpoint(place);
  auto none = fail(Errc::not_found,
                   fmt::format("there is no checkpoint in {} that a training could go on from",
                               transfer::printable(place.path_of(""))));
  none.error().details = skipped_lines(newest);
  if (!accepts_unknown)
    none.error().hint = "One of a format that is not known can be had with --accept-unknown.";
  none.error().section = "CHECKPOINTS.md#which-one-is-the-newest";
  return none;
}

std::string text_of(const Newest& newest, const checkpoint::Place& place) {
  const checkpoint::Checkpoint& one = *newest.checkpoint;
  std::string text = key_values({
      {"path", transfer::printable(path_of(one, place))},
      {"epoch", epoch_text(one)},
      {"step", step_text(one)},
      {"metrics", metrics_text(one, 4)},
      {"format", std::string{in_words(one.finding.format)}},
      {"size", bytes_in_words(one.bytes)},
      {"written", written_text(one)},
      {"state", std::string{state_of(one)}},
      {"chosen", std::string{in_words(newest.by)}},
  });
  for (const std::string& line : skipped_lines(newest))
    text += fmt::format("passed over {}\n", line);
  return text;
}

Result<ExitCode> resume(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(arguments, context));
  const bool accepts_unknown = arguments.has("--accept-unknown");
  RUNCTL_TRY_LET(const Newest newest,
                 find_newest(*place, accepts_unknown ? checkpoint::Trust::any_format
                                                     : checkpoint::Trust::known_formats));
  if (!newest.checkpoint) return none_good(newest, *place, accepts_unknown);
  boost::json::array skipped;
  for (const checkpoint::Skipped& one : newest.skipped) {
    skipped.emplace_back(
        boost::json::object{{"name", for_json(one.name)}, {"why", for_json(one.why)}});
  }
  boost::json::object record{{"checkpoint", record_of(*newest.checkpoint, *place)},
                             {"chosen_by", name_of(newest.by)},
                             {"skipped", std::move(skipped)}};
  if (!newest.written_later.empty()) record["written_later"] = for_json(newest.written_later);
  if (context.globals.output == OutputFormat::id) {
    for (const std::string& line : skipped_lines(newest))
      note(context, fmt::format("Passed over {}", line));
  }
  if (!newest.written_later.empty() && newest.by != checkpoint::OrderBy::time) {
    note(context,
         fmt::format("{} was written later, and says less or nothing: was the training begun anew?",
                     transfer::printable(newest.written_later)));
  }
  present(context, {.text = text_of(newest, *place),
                    .record = std::move(record),
                    .id = path_of(*newest.checkpoint, *place)});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec checkpoint_resume{.path = "checkpoint resume",
                                    .summary = "the newest whole checkpoint, to go on from",
                                    .positionals = checkpoint_path,
                                    .options = options,
                                    .run = resume};

}  // namespace runctl::cli
