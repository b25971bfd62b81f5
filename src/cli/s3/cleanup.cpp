// runctl s3 cleanup
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "cli/s3/abandoned.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/sources.hpp"
#include "transfer/cleanup_plan.hpp"

namespace runctl::cli {
namespace {

using transfer::Checkpoint;
using transfer::CleanupPlan;

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "the folder of the checkpoints, or of what was being uploaded"},
}};
constexpr std::array<OptionSpec, 3> own_options{{
    {.name = "--keep-last-n",
     .value = "N",
     .help = "keep the last N good checkpoints of each series"},
    {.name = "--multipart", .help = "abort multipart uploads that nobody finished"},
    {.name = "--older-than", .value = "DURATION", .help = "of those, begun longer ago; 1d else"},
}};
constexpr auto options = joined(own_options, filter_options, connection_options);

Result<CleanupPlan> read_plan(S3Session& session, const transfer::S3Uri& uri,
                              const transfer::NameFilter& filter, std::uint64_t keep) {
  FolderListing listing{session, uri, filter};
  std::vector<transfer::CheckpointObject> objects;
  while (true) {
    RUNCTL_TRY_LET(auto named, listing.next());
    if (!named) break;
    objects.push_back({.name = std::move(named->name),
                       .size = named->object.size,
                       .etag = std::move(named->object.etag),
                       .modified = named->object.last_modified});
  }
  if (objects.empty() && filter.empty()) {
    return fail(Errc::not_found,
                fmt::format("there is nothing at {}", transfer::printable(to_text(uri))));
  }
  return transfer::plan_cleanup(std::move(objects), keep);
}

std::vector<std::string> row_of(const Checkpoint& one, std::string_view what) {
  return {std::string{what},
          transfer::printable(one.name.name),
          bytes_in_words(one.bytes),
          std::to_string(one.objects.size()),
          iso8601(one.newest).substr(0, 19) + "Z",
          one.doubt};
}

boost::json::array records_of(const std::vector<Checkpoint>& checkpoints) {
  boost::json::array records;
  for (const Checkpoint& one : checkpoints) {
    boost::json::object record{{"checkpoint", for_json(one.name.name)},
                               {"objects", one.objects.size()},
                               {"bytes", one.bytes},
                               {"last_modified", iso8601(one.newest)}};
    if (!one.doubt.empty()) record["doubt"] = one.doubt;
    records.emplace_back(std::move(record));
  }
  return records;
}

std::string plan_text(const CleanupPlan& plan) {
  Table table{{"", "CHECKPOINT", "SIZE", "OBJECTS", "WRITTEN", "IN DOUBT"}};
  for (const Checkpoint& one : plan.keep) table.add(row_of(one, "keep"));
  for (const Checkpoint& one : plan.remove) table.add(row_of(one, "remove"));
  std::string text = table.text();
  if (plan.other_objects > 0) {
    text += fmt::format(
        "{} that {} no numbered checkpoint {}.\n", counted(plan.other_objects, "object"),
        plan.other_objects == 1 ? "is" : "are", plan.other_objects == 1 ? "stays" : "stay");
  }
  return text;
}

boost::json::object plan_record(const CleanupPlan& plan) {
  return {{"keep", records_of(plan.keep)},
          {"remove", records_of(plan.remove)},
          {"other_objects", plan.other_objects}};
}

struct Gone {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  Consented consented;
};

Gone consent_to(const CleanupPlan& plan, const std::string& folder) {
  Gone gone;
  for (const Checkpoint& one : plan.remove) {
    gone.objects += one.objects.size();
    gone.bytes += one.bytes;
    for (const transfer::CheckpointObject& object : one.objects) {
      gone.consented.add(ListedObject{.key = folder + object.name,
                                      .size = object.size,
                                      .last_modified = object.modified,
                                      .etag = object.etag});
    }
  }
  gone.consented.close();
  return gone;
}

Result<ExitCode> clean_checkpoints(const Arguments& arguments, Context& context,
                                   std::uint64_t keep) {
  RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
  RUNCTL_TRY_LET(const auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  RUNCTL_TRY_LET(const CleanupPlan plan, read_plan(*session, uri, filter, keep));
  const Gone gone = consent_to(plan, transfer::folder_of(uri));
  if (context.globals.dry_run || plan.remove.empty()) {
    boost::json::object record = plan_record(plan);
    record["dry_run"] = context.globals.dry_run;
    std::string text = plan_text(plan);
    text += plan.remove.empty()
                ? "There is nothing to remove.\n"
                : fmt::format("It would remove {} ({}).\n", counted(gone.objects, "object"),
                              bytes_in_words(gone.bytes));
    present(context, {.text = std::move(text), .record = std::move(record)});
    return ExitCode::ok;
  }
  if (context.globals.output == OutputFormat::text) note(context, plan_text(plan));
  RUNCTL_TRY(ask_consent(
      context, fmt::format("Remove {} ({}, {})?", counted(plan.remove.size(), "checkpoint"),
                           counted(gone.objects, "object"), bytes_in_words(gone.bytes))));
  S3Report report{*session, each_object(arguments)};
  // Listed again: what was written anew since is another object, and stays.
  FolderJobs jobs{*session, uri, filter,
                  [&](FolderListing::Named named) -> std::optional<transfer::Job> {
                    if (!gone.consented.contains(named.object)) return std::nullopt;
                    return transfer::Remove{
                        .target = {.bucket = uri.bucket, .key = std::move(named.object.key)},
                        .size = named.object.size};
                  }};
  const Expected expected;
  RUNCTL_TRY_LET(const auto summary, run_jobs(*session, jobs, report, {}, expected));
  const auto done = summary.removed.objects + summary.failed + summary.not_begun;
  if (done < gone.objects && !summary.interrupted) {
    note(context, fmt::format("{} had been changed or removed meanwhile.",
                              counted(gone.objects - done, "object")));
  }
  return report.finish(summary, false);
}

Result<ExitCode> cleanup(const Arguments& arguments, Context& context) {
  const auto keep = arguments.get("--keep-last-n");
  const bool multipart = arguments.has("--multipart");
  if (keep.has_value() == multipart) {
    auto wrong =
        fail(Errc::invalid_argument, keep ? "--keep-last-n and --multipart are two clean-ups"
                                          : "say what is to be cleaned up");
    wrong.error().hint =
        "--keep-last-n N for old checkpoints, or --multipart for uploads that nobody finished.";
    return wrong;
  }
  if (multipart) return abort_abandoned(arguments, context);
  if (arguments.has("--older-than")) {
    return fail(Errc::invalid_argument, "--older-than goes with --multipart");
  }
  RUNCTL_TRY_LET(const auto number, parse_number("--keep-last-n", *keep, 1'000'000));
  if (number == 0) {
    auto refused = fail(Errc::invalid_argument, "--keep-last-n is at least 1");
    refused.error().hint = "The newest good checkpoint is never removed by this command.";
    return refused;
  }
  return clean_checkpoints(arguments, context, number);
}

}  // namespace

const CommandSpec s3_cleanup{.path = "s3 cleanup",
                             .summary = "remove old checkpoints, or half finished uploads",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::destroys,
                             .run = cleanup};

}  // namespace runctl::cli
