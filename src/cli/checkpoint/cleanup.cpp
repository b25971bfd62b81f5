// runctl checkpoint cleanup
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "checkpoint/newest.hpp"
#include "checkpoint/retention.hpp"
#include "checkpoint/survey.hpp"
#include "cli/checkpoint/show.hpp"
#include "cli/checkpoint/target.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "cli/s3/option_specs.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/report.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Decision;
using checkpoint::Policy;

constexpr std::array<OptionSpec, 3> own_options{{
    {.name = "--keep-last-n",
     .value = "N",
     .help = "keep the last N good checkpoints of each series"},
    {.name = "--keep-best",
     .value = "METRIC[:min|max]",
     .help = "keep the one that is best by a metric",
     .times = OptionSpec::Times::many},
    {.name = "--keep-every",
     .value = "N",
     .help = "keep those whose epoch, or else step, N divides"},
}};
constexpr auto options = joined(own_options, connection_options);

Result<std::optional<std::uint64_t>> parse_positive(const Arguments& arguments,
                                                    std::string_view option) {
  const auto text = arguments.get(option);
  if (!text) return std::optional<std::uint64_t>{};
  RUNCTL_TRY_LET(const auto number, parse_number(option, *text, 1'000'000'000));
  if (number > 0) return std::optional{number};
  return usage_error(fmt::format("{} is at least 1", option),
                     "The newest good checkpoint is never removed by this command.");
}

Result<Policy> parse_policy(const Arguments& arguments) {
  RUNCTL_TRY_LET(const auto last, parse_positive(arguments, "--keep-last-n"));
  RUNCTL_TRY_LET(const auto every, parse_positive(arguments, "--keep-every"));
  Policy policy{.keep_last = last.value_or(1), .every = every};
  for (const std::string& text : arguments.all("--keep-best")) {
    RUNCTL_TRY_LET(auto best, checkpoint::parse_best(text));
    policy.best.push_back(std::move(best));
  }
  if (last || every || !policy.best.empty()) return policy;
  return usage_error("say what is to be kept",
                     "--keep-last-n N, --keep-best METRIC or --keep-every N, or several of them.");
}

// A misspelt metric would keep nothing.
Result<void> check_metrics(const Policy& policy, const std::vector<Checkpoint>& all) {
  std::set<std::string> known;
  for (const Checkpoint& one : all) {
    for (const auto& [name, value] : one.finding.facts.metrics) known.insert(name);
  }
  for (const checkpoint::BestBy& by : policy.best) {
    if (known.contains(by.metric)) continue;
    const std::vector<std::string> names{known.begin(), known.end()};
    return usage_error(fmt::format("no checkpoint says its {}", by.metric),
                       known.empty()
                           ? std::string{"They say no metric at all: runctl checkpoint list."}
                           : fmt::format("They say: {}.", join(names, ", ")));
  }
  return {};
}

// The plan, once the contents of all that it leans on have been read and are good.
Result<std::vector<Decision>> plan_on_what_is_read(checkpoint::Place& place,
                                                   std::vector<Checkpoint>& all,
                                                   const Policy& policy) {
  while (true) {
    auto plan = plan_retention(all, policy);
    const auto unread = std::ranges::find_if(plan, [&](const Decision& one) {
      return one.is_leaned_on && all[one.index].depth == checkpoint::Depth::structure;
    });
    if (unread == plan.end()) return plan;
    RUNCTL_TRY(inspect(place, all[unread->index], checkpoint::Depth::contents));
  }
}

struct Planned {
  std::vector<Checkpoint> all = {};
  std::vector<Decision> decisions = {};  // of those, in their order
  std::uint64_t other_files = 0;

  [[nodiscard]] std::vector<const Decision*> of(bool goes) const {
    std::vector<const Decision*> some;
    for (const std::size_t index : checkpoint::order_of(all).newest_first) {
      if (decisions[index].goes == goes) some.push_back(&decisions[index]);
    }
    return some;
  }
};

Result<Planned> make_plan(checkpoint::Place& place, const Policy& policy) {
  RUNCTL_TRY_LET(auto found, survey(place, checkpoint::Depth::structure));
  Planned planned{.all = std::move(found.checkpoints), .other_files = found.other_files};
  RUNCTL_TRY(check_metrics(policy, planned.all));
  RUNCTL_TRY_LET(planned.decisions, plan_on_what_is_read(place, planned.all, policy));
  return planned;
}

std::string text_of(const Planned& planned, const checkpoint::Place& place) {
  Table table{{"", "NAME", "EPOCH", "STEP", "METRICS", "SIZE", "STATE", "BECAUSE"}};
  for (const bool goes : {false, true}) {
    for (const Decision* decision : planned.of(goes)) {
      const Checkpoint& one = planned.all[decision->index];
      table.add({goes ? "remove" : "keep", shown_name(one, place), epoch_text(one), step_text(one),
                 metrics_text(one, 2), bytes_in_words(one.bytes), std::string{state_of(one)},
                 transfer::printable(decision->why)});
    }
  }
  std::string text = table.text();
  if (planned.other_files > 0) {
    text += fmt::format("{} that {} no checkpoint {}.\n", counted(planned.other_files, "file"),
                        planned.other_files == 1 ? "is" : "are",
                        planned.other_files == 1 ? "stays" : "stay");
  }
  return text;
}

boost::json::array records_of(const Planned& planned, bool goes, const checkpoint::Place& place) {
  boost::json::array records;
  for (const Decision* decision : planned.of(goes)) {
    auto record = record_of(planned.all[decision->index], place);
    record["decision"] = for_json(decision->why);
    records.emplace_back(std::move(record));
  }
  return records;
}

// What became of one that should have gone.
struct Left {
  std::string name;
  std::string why;
};

struct Removed {
  std::vector<std::string> names;
  std::uint64_t bytes = 0;
  std::vector<Left> left;
};

// Whether each file is the one that was looked at; and no file has come since.
bool is_unchanged(const Checkpoint& one, const std::map<std::string, checkpoint::PlaceFile>& now) {
  for (const checkpoint::PlaceFile& file : one.files) {
    const auto found = now.find(file.name);
    if (found == now.end() || found->second != file) return false;
  }
  if (!one.is_folder) return true;
  const std::string folder = one.name + '/';
  std::size_t count = 0;
  for (auto at = now.lower_bound(folder); at != now.end() && at->first.starts_with(folder); ++at)
    ++count;
  return count == one.files.size();
}

Result<void> remove_one(checkpoint::Place& place, const Checkpoint& one) {
  // Those of a file's own names go before what is said of it.
  for (const std::string& top : one.top_names) {
    std::vector<checkpoint::PlaceFile> files;
    for (const checkpoint::PlaceFile& file : one.files) {
      if (file.name == top || file.name.starts_with(top + '/')) files.push_back(file);
    }
    RUNCTL_TRY(place.remove(top, files));
  }
  return {};
}

Result<Removed> remove_planned(checkpoint::Place& place, const Planned& planned,
                               const Context& context) {
  // Read again: a training may have written in the meantime.
  RUNCTL_TRY_LET(const auto files, place.files());
  std::map<std::string, checkpoint::PlaceFile> now;
  for (const checkpoint::PlaceFile& file : files) now.emplace(file.name, file);
  Removed removed;
  for (const Decision* decision : planned.of(true)) {
    const Checkpoint& one = planned.all[decision->index];
    const std::string name = shown_name(one, place);
    if (context.stop.stop_requested()) {
      removed.left.push_back({.name = name, .why = "stopped before"});
    } else if (!is_unchanged(one, now)) {
      removed.left.push_back({.name = name, .why = "it was changed or removed meanwhile"});
    } else if (const auto done = remove_one(place, one); !done) {
      removed.left.push_back({.name = name, .why = done.error().message});
    } else {
      removed.names.push_back(name);
      removed.bytes += one.bytes;
    }
  }
  return removed;
}

ExitCode report_removed(Context& context, const Planned& planned, const Removed& removed,
                        const checkpoint::Place& place) {
  std::string text = fmt::format("Removed {} ({}).\n", counted(removed.names.size(), "checkpoint"),
                                 bytes_in_words(removed.bytes));
  boost::json::array names;
  boost::json::array left;
  std::string ids;
  for (const std::string& name : removed.names) {
    names.emplace_back(for_json(name));
    ids += (ids.empty() ? "" : "\n") + name;
  }
  for (const Left& one : removed.left) {
    text += fmt::format("{} stays: {}.\n", one.name, transfer::printable(one.why));
    left.emplace_back(
        boost::json::object{{"name", for_json(one.name)}, {"why", for_json(one.why)}});
  }
  present(context, {.text = std::move(text),
                    .record = {{"dry_run", false},
                               {"removed", std::move(names)},
                               {"removed_bytes", removed.bytes},
                               {"left", std::move(left)},
                               {"keep", records_of(planned, false, place)}},
                    .id = std::move(ids)});
  if (context.stop.stop_requested()) return ExitCode::cancelled;
  return removed.left.empty() ? ExitCode::ok : ExitCode::partial;
}

Result<ExitCode> cleanup(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const Policy policy, parse_policy(arguments));
  RUNCTL_TRY_LET(const auto place, open_checkpoint_place(arguments, context));
  if (!place->named_file().empty()) {
    return usage_error(fmt::format("{} is one file", transfer::printable(place->path_of(""))),
                       "Name the folder whose older checkpoints should go.");
  }
  RUNCTL_TRY_LET(const Planned planned, make_plan(*place, policy));
  if (planned.all.empty()) return no_checkpoint(*place);
  const auto going = planned.of(true);
  std::uint64_t bytes = 0;
  for (const Decision* one : going) bytes += planned.all[one->index].bytes;
  if (context.globals.dry_run || going.empty()) {
    const std::string end =
        going.empty() ? "There is nothing to remove.\n"
                      : fmt::format("It would remove {} ({}).\n",
                                    counted(going.size(), "checkpoint"), bytes_in_words(bytes));
    present(context, {.text = text_of(planned, *place) + end,
                      .record = {{"dry_run", context.globals.dry_run},
                                 {"keep", records_of(planned, false, *place)},
                                 {"remove", records_of(planned, true, *place)},
                                 {"remove_bytes", bytes},
                                 {"other_files", planned.other_files}}});
    return ExitCode::ok;
  }
  if (context.globals.output == OutputFormat::text) note(context, text_of(planned, *place));
  RUNCTL_TRY(ask_consent(
      context, fmt::format("Remove {} ({}) from {}?", counted(going.size(), "checkpoint"),
                           bytes_in_words(bytes), transfer::printable(place->path_of("")))));
  RUNCTL_TRY_LET(const Removed removed, remove_planned(*place, planned, context));
  return report_removed(context, planned, removed, *place);
}

}  // namespace

const CommandSpec checkpoint_cleanup{.path = "checkpoint cleanup",
                                     .summary = "remove old checkpoints, never the last good one",
                                     .positionals = checkpoint_path,
                                     .options = options,
                                     .danger = Danger::destroys,
                                     .run = cleanup};

}  // namespace runctl::cli
