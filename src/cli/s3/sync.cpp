// runctl s3 sync
#include <filesystem>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/plan_text.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/sync_jobs.hpp"
#include "cli/s3/sync_task.hpp"
#include "io/directory.hpp"
#include "io/directory_reader.hpp"

namespace runctl::cli {
namespace {

namespace fs = std::filesystem;

using transfer::SyncAction;
using transfer::SyncDirection;
using transfer::SyncStep;

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "FROM", .help = "a directory, or a folder in S3: what is to be"},
    {.name = "TO", .help = "a directory, or a folder in S3: what is made like it"},
}};
constexpr std::array<OptionSpec, 3> own_options{{
    {.name = "--delete", .help = "delete what FROM does not have"},
    {.name = "--checksum", .help = "compare contents, not times"},
    {.name = "--size-only", .help = "compare sizes, not times"},
}};
constexpr auto options = joined(own_options, filter_options, links_option, object_options,
                                customer_key_options, copy_source_key_options, speed_options,
                                durability_option, upload_options, connection_options);

Result<void> check_directory(const fs::path& path, bool may_be_missing) {
  const auto facts = file_facts(path, Links::followed);
  if (!facts && may_be_missing && facts.error().code == Errc::not_found) return {};
  if (!facts) return std::unexpected{facts.error()};
  if (facts->kind == FileKind::directory) return {};
  return usage_error(fmt::format("'{}' is no directory", transfer::printable(path.string())),
                     "A sync is between directories and folders: for one file there are upload and "
                     "download.");
}

Result<void> find_direction(SyncTask& task, const std::string& from, const std::string& to) {
  const bool from_s3 = transfer::is_s3_uri(from);
  const bool to_s3 = transfer::is_s3_uri(to);
  if (!from_s3 && !to_s3) {
    return usage_error("neither side is in S3",
                       "Write s3://BUCKET/FOLDER for one of them; two local "
                       "directories are for rsync.");
  }
  if (from_s3) {
    RUNCTL_TRY_LET(task.from, transfer::parse_s3_uri(from));
  }
  if (to_s3) {
    RUNCTL_TRY_LET(task.to, transfer::parse_s3_uri(to));
  }
  task.rules.direction = !from_s3 ? SyncDirection::upload
                         : to_s3  ? SyncDirection::copy
                                  : SyncDirection::download;
  if (!from_s3) {
    task.local = from;
    return check_directory(task.local, false);
  }
  if (!to_s3) {
    task.local = to;
    return check_directory(task.local, true);
  }
  const std::string source = transfer::folder_of(task.from);
  const std::string target = transfer::folder_of(task.to);
  if (task.from.bucket == task.to.bucket &&
      (target.starts_with(source) || source.starts_with(target))) {
    return usage_error("one of the folders is in the other",
                       "Copies would be copied again, or deleted: choose a folder beside it.");
  }
  return {};
}

Result<SyncTask> parse_task(const Arguments& arguments) {
  SyncTask task;
  task.rules.by_checksum = arguments.has("--checksum");
  task.rules.by_size_only = arguments.has("--size-only");
  if (task.rules.by_checksum && task.rules.by_size_only) {
    return fail(Errc::invalid_argument, "--checksum and --size-only exclude each other");
  }
  RUNCTL_TRY(find_direction(task, arguments.positional("FROM"), arguments.positional("TO")));
  RUNCTL_TRY_LET(task.filter, parse_filter(arguments));
  RUNCTL_TRY_LET(task.attributes, parse_attributes(arguments));
  task.replaces_headers = replaces_headers(arguments);
  if (arguments.has("--sse-c-copy-source-key") && task.rules.direction != SyncDirection::copy) {
    return usage_error("--sse-c-copy-source-key is for what is copied inside S3",
                       "The key of what goes up or comes down is --sse-c-key's.");
  }
  if (arguments.has("--follow-symlinks")) {
    if (task.rules.direction != SyncDirection::upload) {
      return fail(Errc::invalid_argument, "--follow-symlinks is for what goes up");
    }
    task.links = Links::followed;
  }
  return task;
}

std::string_view verb_of(const SyncTask& task) {
  switch (task.rules.direction) {
    case SyncDirection::upload:
      return "upload";
    case SyncDirection::download:
      return "download";
    case SyncDirection::copy:
      return "copy";
  }
  std::unreachable();
}

// A source without a single file is more often a wrong one (a disk that is not mounted, a variable
// that is empty) than one that is meant.
std::unexpected<Error> empty_source(const SyncTask& task, std::uint64_t surplus) {
  const bool local = task.rules.direction == SyncDirection::upload;
  auto refused =
      fail(Errc::conflict,
           fmt::format("'{}' has no file: --delete would delete all {} of {}",
                       transfer::printable(local ? task.local.string() : to_text(task.from)),
                       counted(surplus, "file"), transfer::printable(target_place(task, ""))));
  refused.error().hint = "Is it the right one, and mounted?";
  if (task.rules.direction != SyncDirection::download) {
    refused.error().ways_out = {
        fmt::format("runctl s3 remove --recursive {}", shell_quote(to_text(task.to)))};
  }
  return refused;
}

struct Surplus {
  ObjectPlan plan;
  Consented consented;
  std::uint64_t in_source = 0;
};

// What --delete would delete, for whoever is to consent to it.
Result<Surplus> find_surplus(const Arguments& arguments, S3Session& session, const SyncTask& task) {
  Surplus surplus{.plan = make_plan(arguments), .consented = {}};
  RUNCTL_TRY_LET(const SyncSides sides, open_sides(session, task, nullptr));
  transfer::SyncPlan plan{*sides.source, *sides.target, task.rules};
  while (true) {
    RUNCTL_TRY_LET(const auto step, plan.next());
    if (!step) break;
    if (step->has_source()) ++surplus.in_source;
    if (step->action != SyncAction::remove) continue;
    surplus.plan.add(
        fmt::format("delete {} ({})", transfer::printable(target_place(task, step->name())),
                    bytes_in_words(step->target.size)),
        step->target.size);
    surplus.consented.add(step->target);
  }
  surplus.consented.close();
  return surplus;
}

// Deletes a file that is still what the plan saw, without following a link on the way to it.
Result<void> remove_file(const SyncTask& task, const transfer::SyncItem& item) {
  const fs::path path = task.local / item.name;
  RUNCTL_TRY_LET(const FileFacts facts, file_facts(path, Links::shown));
  if (facts.kind != FileKind::file || facts.size != item.size || facts.modified != item.modified) {
    return fail(Errc::precondition, "it was changed after the plan was made");
  }
  const fs::path name{item.name};
  RUNCTL_TRY_LET(const Directory directory,
                 Directory::make_below(task.local, name.parent_path().string()));
  return directory.remove(name.filename().string());
}

// Gives what is to be removed from S3, and removes what is local by itself. Both sides are read
// again, and what goes is what was surplus before: a source that has gone away meanwhile takes
// nothing with it.
class Removals final : public transfer::JobSource {
 public:
  Removals(const SyncTask& task, S3Report& report, SyncSides sides, const Consented& surplus)
      : task_{task},
        report_{report},
        sides_{std::move(sides)},
        plan_{*sides_.source, *sides_.target, task.rules},
        surplus_{surplus} {}

  Result<std::optional<transfer::Job>> next() override {
    while (true) {
      RUNCTL_TRY_LET(const auto step, plan_.next());
      if (!step) return std::nullopt;
      if (step->action != SyncAction::remove) continue;
      if (!surplus_.contains(step->target)) {
        leave_out(*step, "it was not to be deleted when the sync began");
      } else if (task_.rules.direction != SyncDirection::download) {
        return transfer::Remove{.target = {.bucket = task_.to.bucket,
                                           .key = transfer::folder_of(task_.to) + step->name()},
                                .size = step->target.size};
      } else if (const auto removed = remove_file(task_, step->target); removed) {
        report_.removed_file(target_place(task_, step->name()), step->target.size);
      } else {
        leave_out(*step, removed.error().message);
      }
    }
  }

 private:
  void leave_out(const SyncStep& step, const std::string& why) {
    report_.leave_out({.verb = "remove",
                       .place = target_place(task_, step.name()),
                       .code = "not_removed",
                       .why = why,
                       .is_failure = true});
  }

  const SyncTask& task_;
  S3Report& report_;
  SyncSides sides_;
  transfer::SyncPlan plan_;
  const Consented& surplus_;
};

Result<ExitCode> show_sync_plan(const Arguments& arguments, S3Session& session,
                                const SyncTask& task) {
  // Nothing is told but the plan.
  S3Report report{session, EachObject::quiet};
  RUNCTL_TRY_LET(SyncSides sides, open_sides(session, task, nullptr));
  const StopAtTimeout stop_at_timeout{session};
  SyncJobs jobs{session, task, report, std::move(sides)};
  ObjectPlan plan = make_plan(arguments);
  while (true) {
    const auto job = jobs.next();
    if (!job && session.is_late()) {
      return fail(Errc::deadline_exceeded, "--timeout passed while files were compared");
    }
    if (!job) return std::unexpected{job.error()};
    if (!*job) break;
    const SyncStep& step = jobs.last_step();
    plan.add(fmt::format("{} {} ({}, {})", verb_of(task),
                         transfer::printable(target_place(task, step.name())), step.why,
                         bytes_in_words(step.source.size)),
             step.source.size);
  }
  if (arguments.has("--delete")) {
    RUNCTL_TRY_LET(const Surplus surplus, find_surplus(arguments, session, task));
    if (surplus.in_source == 0 && surplus.plan.objects() > 0) {
      return empty_source(task, surplus.plan.objects());
    }
    plan.add_all(surplus.plan);
  }
  return plan.show(session.context(), "It would do nothing: both sides are the same.");
}

Result<std::optional<Surplus>> ask_about_surplus(const Arguments& arguments, S3Session& session,
                                                 const SyncTask& task) {
  Context& context = session.context();
  if (context.globals.yes) return std::nullopt;
  RUNCTL_TRY_LET(Surplus surplus, find_surplus(arguments, session, task));
  const std::uint64_t count = surplus.plan.objects();
  if (count == 0) return surplus;
  if (surplus.in_source == 0) return empty_source(task, count);
  if (context.interactive) note(context, surplus.plan.text());
  auto asked =
      ask_consent(context, fmt::format("Delete {} ({}) of {}, which {} does not have?",
                                       counted(count, "file"), bytes_in_words(surplus.plan.bytes()),
                                       transfer::printable(target_place(task, "")),
                                       transfer::printable(arguments.positional("FROM"))));
  if (!asked) {
    asked.error().details = surplus.plan.lines();
    return std::unexpected{std::move(asked).error()};
  }
  return surplus;
}

// What the target has too much goes last, when everything else has arrived: what was renamed is
// then there under its new name.
Result<void> remove_surplus(S3Session& session, const SyncTask& task, S3Report& report,
                            const transfer::Options& how, const Consented& surplus,
                            transfer::Summary& summary) {
  RUNCTL_TRY_LET(SyncSides sides, open_sides(session, task, nullptr));
  Removals removals{task, report, std::move(sides), surplus};
  const Expected expected;
  RUNCTL_TRY_LET(const auto removed, run_jobs(session, removals, report, how, expected));
  add(summary, removed);
  return {};
}

Result<ExitCode> sync(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const SyncTask task, parse_task(arguments));
  RUNCTL_TRY_LET(auto how, parse_transfer_options(arguments, context));
  // The time by which the next run knows the file again.
  how.file_time = transfer::FileTime::last_modified;
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  if (context.globals.dry_run) return show_sync_plan(arguments, *session, task);
  const bool deletes = arguments.has("--delete");
  std::optional<Surplus> asked;
  if (deletes) {
    RUNCTL_TRY_LET(asked, ask_about_surplus(arguments, *session, task));
  }
  S3Report report{*session, each_object(arguments)};
  RUNCTL_TRY_LET(SyncSides sides, open_sides(*session, task, &report));
  SyncJobs jobs{*session, task, report, std::move(sides)};
  const Expected expected;
  RUNCTL_TRY_LET(auto summary, run_jobs(*session, jobs, report, how, expected));
  const std::uint64_t surplus = jobs.surplus().size();
  if (deletes && surplus > 0 && !summary.interrupted) {
    if (jobs.in_source() == 0) return empty_source(task, surplus);
    if (summary.failed > 0 || report.failed() > 0) {
      note(context, fmt::format("Nothing was deleted, since not everything has arrived: {} "
                                "would have been.",
                                counted(surplus, "file")));
    } else {
      RUNCTL_TRY(remove_surplus(*session, task, report, how,
                                asked ? asked->consented : jobs.surplus(), summary));
    }
  }
  return report.finish(summary, false);
}

}  // namespace

const CommandSpec s3_sync{.path = "s3 sync",
                          .summary = "make a folder like another, in S3 or here",
                          .positionals = positionals,
                          .options = options,
                          .danger = Danger::destroys,
                          .run = sync};

}  // namespace runctl::cli
