// runctl operations list|show|resume|abandon
#include "cli/commands.hpp"

#include <array>
#include <memory>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/cloud.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "cli/workflow/operation.hpp"
#include "fleet/resume.hpp"
#include "journal/journal.hpp"

namespace runctl::cli {
namespace {

using journal::Journal;
using journal::Life;
using journal::Operation;
using journal::State;
using journal::Step;

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "OPERATION", .help = "its id, or a beginning of it that no other has"},
}};
constexpr std::array<OptionSpec, 2> list_options{{
    {.name = "--all", .help = "also those that are over"},
    {.name = "--limit", .value = "N", .help = "at most so many, the newest (default 50)"},
}};

constexpr std::int64_t default_limit = 50;

// "unfinished" is what people look for; the journal's word for it is an open one that nobody is at.
std::string_view state_in_words(const Operation& operation) {
  if (operation.state != State::open) return name_of(operation.state);
  switch (journal::life_of(operation.owner)) {
    case Life::running:
      return "running";
    case Life::gone:
      return "unfinished";
    case Life::elsewhere:
      return "open on another machine";
  }
  std::unreachable();
}

boost::json::object record_of(const Operation& operation) {
  boost::json::array subjects;
  for (const std::string& id : operation.subjects) subjects.emplace_back(id);
  boost::json::array steps;
  for (const Step& step : operation.steps) {
    boost::json::object record{
        {"action", step.action}, {"sent", iso8601(step.sent)}, {"outcome", name_of(step.outcome)}};
    if (!step.answer.empty()) record["answer"] = step.answer;
    if (auto request = parse_json(step.request)) record["request"] = *std::move(request);
    steps.push_back(std::move(record));
  }
  boost::json::object record{
      {"operation_id", operation.id},       {"kind", operation.kind},
      {"state", state_in_words(operation)}, {"place", operation.place},
      {"subjects", std::move(subjects)},    {"begun", iso8601(operation.begun)},
      {"process", operation.owner.pid},     {"host", operation.owner.host},
      {"steps", std::move(steps)}};
  if (operation.ended) record["ended"] = iso8601(*operation.ended);
  if (!operation.message.empty()) record["message"] = operation.message;
  return record;
}

std::string text_of(const Operation& operation) {
  std::string text = key_values(
      {{"operation", operation.id},
       {"kind", operation.kind},
       {"state", std::string{state_in_words(operation)}},
       {"about", join(operation.subjects, ", ")},
       {"where", operation.place},
       {"begun", iso8601(operation.begun)},
       {"by", fmt::format("process {} on {}", operation.owner.pid, operation.owner.host)},
       {"ended", operation.ended ? iso8601(*operation.ended) : ""},
       {"message", operation.message}});
  Table table{{"SENT", "STEP", "OUTCOME", "ANSWER"}};
  for (const Step& step : operation.steps) {
    table.add({iso8601(step.sent), step.action, std::string{name_of(step.outcome)}, step.answer});
  }
  return text + '\n' + table.text();
}

Result<ExitCode> list(const Arguments& arguments, Context& context) {
  const bool all = arguments.has("--all");
  RUNCTL_TRY_LET(const auto wanted, parse_count(arguments, "--limit"));
  RUNCTL_TRY_LET(const auto journal, Journal::open_existing(journal_path(context)));
  std::vector<Operation> operations;
  if (journal != nullptr) {
    RUNCTL_TRY_LET(operations,
                   journal->list({.only_open = !all, .limit = wanted.value_or(default_limit)}));
  }
  boost::json::array records;
  Table table{{"OPERATION", "KIND", "STATE", "BEGUN", "ABOUT"}};
  std::string ids;
  for (const Operation& operation : operations) {
    records.push_back(record_of(operation));
    ids += operation.id + '\n';
    const auto age = context.clock.now() - operation.begun;
    table.add({operation.id, operation.kind, std::string{state_in_words(operation)},
               fmt::format("{} ago", duration_in_words(age)), join(operation.subjects, " ")});
  }
  if (!ids.empty()) ids.pop_back();
  std::string text = table.text();
  if (operations.empty()) {
    text = all ? "The journal is empty.\n" : "Nothing was left unfinished.\n";
  }
  present(context, {.text = std::move(text),
                    .record = {{"operations", std::move(records)}},
                    .id = std::move(ids)});
  return ExitCode::ok;
}

Result<Operation> find(const Arguments& arguments, const Context& context) {
  const std::string& id = arguments.positional("OPERATION");
  RUNCTL_TRY_LET(const auto journal, Journal::open_existing(journal_path(context)));
  if (journal != nullptr) return journal->find(id);
  auto missing = fail(Errc::not_found, fmt::format("the journal has no operation '{}'", id));
  missing.error().hint =
      fmt::format("It is empty: {} does not exist.", journal_path(context).string());
  return missing;
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto operation, find(arguments, context));
  present(context,
          {.text = text_of(operation), .record = record_of(operation), .id = operation.id});
  return ExitCode::ok;
}

// Whoever is at it now must not be disturbed.
Result<void> check_owner(Context& context, const Operation& operation) {
  switch (journal::life_of(operation.owner)) {
    case Life::gone:
      return {};
    case Life::running: {
      auto busy = fail(Errc::conflict, fmt::format("process {} is still at operation {}",
                                                   operation.owner.pid, operation.id));
      busy.error().hint = "Wait until it ends; or stop it first (Ctrl-C there).";
      return busy;
    }
    case Life::elsewhere:
      return ask_consent(
          context, fmt::format("Operation {} was begun on {}, and whether process {} is still at "
                               "it cannot be seen from here. Take it over?",
                               operation.id, operation.owner.host, operation.owner.pid));
  }
  std::unreachable();
}

Result<ExitCode> say_over(Context& context, const Operation& operation) {
  present(context, {.text = fmt::format("Operation {} is over already: {}.\n", operation.id,
                                        state_in_words(operation)),
                    .record = record_of(operation),
                    .id = operation.id});
  return ExitCode::ok;
}

std::unexpected<Error> another_place(const Operation& operation, const Cloud& cloud) {
  auto elsewhere = fail(Errc::conflict, fmt::format("operation {} was on another cloud: {}",
                                                    operation.id, operation.place));
  elsewhere.error().hint = fmt::format(
      "This command looks at {}. Use the --region, --endpoint-url or --emulator that it was "
      "begun with.",
      cloud.place());
  return elsewhere;
}

Result<ExitCode> resume(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto operation, find(arguments, context));
  if (operation.state != State::open) return say_over(context, operation);
  RUNCTL_TRY(check_owner(context, operation));
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("find out what became of the {}", operation.kind),
                               "finish it, where it took effect"});
  }
  RUNCTL_TRY_LET(const std::shared_ptr<Cloud> cloud, connect(context));
  if (operation.place != cloud->place()) return another_place(operation, *cloud);
  if (operation.kind == workflow_kind) return resume_workflow(context, cloud, std::move(operation));
  const auto session = cloud->session();
  RUNCTL_TRY_LET(const auto resumed, cloud->go_on(session, std::move(operation), fleet::resume));
  std::string text;
  boost::json::array found;
  for (const std::string& line : resumed.found) {
    text += line + ".\n";
    found.emplace_back(line);
  }
  const std::string& id = arguments.positional("OPERATION");
  present(
      context,
      {.text = text + resumed.outcome + '\n',
       .record = {{"operation_id", id}, {"found", std::move(found)}, {"outcome", resumed.outcome}},
       .id = id});
  return ExitCode::ok;
}

Result<ExitCode> abandon(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(auto operation, find(arguments, context));
  if (operation.state != State::open) return say_over(context, operation);
  RUNCTL_TRY(check_owner(context, operation));
  const std::string about = join(operation.subjects, ", ");
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("take operation {} ({}) off the list of unfinished ones",
                                           operation.id, operation.kind)});
  }
  RUNCTL_TRY(ask_consent(
      context, fmt::format("Give up operation {} ({} of {})? Whatever it made or changed stays as "
                           "it is, and nothing will remind you of it.",
                           operation.id, operation.kind, about.empty() ? "nothing known" : about)));
  operation.state = State::abandoned;
  operation.ended = context.clock.now();
  RUNCTL_TRY_LET(const auto journal, Journal::open(journal_path(context)));
  RUNCTL_TRY(journal->write(operation));
  present(context, {.text = fmt::format("Operation {} is given up.\n", operation.id),
                    .record = record_of(operation),
                    .id = operation.id});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec operations_list{.path = "operations list",
                                  .summary = "what was begun and not ended",
                                  .positionals = {},
                                  .options = list_options,
                                  .run = list};
const CommandSpec operations_show{.path = "operations show",
                                  .summary = "one operation, step by step",
                                  .positionals = positionals,
                                  .options = {},
                                  .run = show};
const CommandSpec operations_resume{.path = "operations resume",
                                    .summary = "find out what became of it, and finish it",
                                    .positionals = positionals,
                                    .options = {},
                                    .danger = Danger::changes,
                                    .run = resume};
const CommandSpec operations_abandon{.path = "operations abandon",
                                     .summary = "give an unfinished operation up",
                                     .positionals = positionals,
                                     .options = {},
                                     .danger = Danger::changes,
                                     .run = abandon};

}  // namespace runctl::cli
