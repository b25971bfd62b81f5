// runctl s3 copy
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/plan_text.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/sources.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "FROM", .help = "an object, or with --recursive a folder or a bucket"},
    {.name = "TO", .help = "s3://BUCKET/KEY; with a slash at its end the object keeps its name"},
}};
constexpr auto options =
    joined(recursive_option, filter_options, version_option, condition_option, object_options,
           customer_key_options, copy_source_key_options, speed_options, connection_options);

// Whether what a copy onto itself would have is anything new. Giving an object another key, or
// another way of being encrypted, is done so. An ACL alone is nothing new to CopyObject.
bool changes_something(const Arguments& arguments, const transfer::Copy& copy) {
  return copy.replaces_headers || !copy.attributes.storage_class.empty() ||
         !copy.attributes.server_side_encryption.empty() || arguments.has("--sse-c-key") ||
         arguments.has("--sse-c-copy-source-key");
}

std::string line_of(const transfer::Copy& copy) {
  return fmt::format("copy s3://{}/{} to s3://{}/{}", copy.source.bucket,
                     transfer::printable(copy.source.key), copy.target.bucket,
                     transfer::printable(copy.target.key));
}

Result<ExitCode> copy_object(const Arguments& arguments, Context& context, transfer::Copy copy) {
  RUNCTL_TRY_LET(const auto from, parse_object_uri(arguments, "FROM", "copy"));
  RUNCTL_TRY_LET(const auto to, parse_uri(arguments, "TO"));
  copy.source = {.bucket = from.bucket,
                 .key = from.key,
                 .version_id = arguments.get("--version-id").value_or("")};
  copy.target = {.bucket = to.bucket, .key = to.key};
  if (to.key.empty() || to.key.ends_with('/')) copy.target.key += last_component(from.key);
  if (copy.source == copy.target && !changes_something(arguments, copy)) {
    return usage_error("an object cannot be copied onto itself",
                       "Unless something about it is to change: --storage-class, --metadata, …");
  }
  if (context.globals.dry_run) {
    ObjectPlan plan;
    plan.add(line_of(copy), 0);
    return plan.show(context, "");
  }
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  auto done = run_single(*session, arguments, std::move(copy), how);
  if (done || done.error().code != Errc::not_found) return done;
  const auto folder = is_folder(*session, from);
  if (!folder && folder.error().code == Errc::not_found) return std::unexpected{folder.error()};
  if (folder && *folder)
    done.error().hint = "It is a folder. To copy everything in it: --recursive.";
  return done;
}

Result<ExitCode> copy_folder(const Arguments& arguments, Context& context,
                             const transfer::Copy& pattern) {
  RUNCTL_TRY_LET(const auto from, parse_uri(arguments, "FROM"));
  RUNCTL_TRY_LET(const auto to, parse_uri(arguments, "TO"));
  const std::string target = transfer::folder_of(to);
  const std::string source = transfer::folder_of(from);
  if (from.bucket == to.bucket && target.starts_with(source) &&
      (target != source || !changes_something(arguments, pattern))) {
    return usage_error(fmt::format("the folder s3://{}/{} is in s3://{}/{}", to.bucket, target,
                                   from.bucket, source),
                       "The copies would be copied again: choose a folder beside it.");
  }
  if (arguments.has("--version-id")) {
    return usage_error("--version-id names one object's version",
                       "It does not go with --recursive.");
  }
  RUNCTL_TRY_LET(const auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  S3Report report{*session, each_object(arguments)};
  FolderJobs jobs{
      *session, from, filter, [&](FolderListing::Named named) -> std::optional<transfer::Job> {
        transfer::Copy copy = pattern;
        copy.source = {.bucket = from.bucket, .key = std::move(named.object.key)};
        copy.target = {.bucket = to.bucket, .key = target + named.name};
        copy.size = named.object.size;
        copy.etag = std::move(named.object.etag);
        if (copy.target.key.size() > transfer::greatest_key) {
          const auto fault = transfer::NameFault::key_too_long;
          report.leave_out({.verb = "copy",
                            .place = fmt::format("s3://{}/{}", from.bucket, copy.source.key),
                            .code = transfer::name_of(fault),
                            .why = std::string{transfer::in_words(fault)},
                            .is_failure = true});
          return std::nullopt;
        }
        return copy;
      }};
  if (context.globals.dry_run) {
    ObjectPlan plan = make_plan(arguments);
    while (true) {
      RUNCTL_TRY_LET(const auto job, jobs.next());
      if (!job) break;
      const auto& copy = std::get<transfer::Copy>(*job);
      plan.add(line_of(copy), *copy.size);
    }
    return plan.show(context, "It would copy nothing.");
  }
  const Expected expected;
  RUNCTL_TRY_LET(const auto summary, run_jobs(*session, jobs, report, how, expected));
  if (jobs.seen() == 0 && !summary.interrupted && filter.empty()) {
    return fail(Errc::not_found,
                fmt::format("there is nothing at {}", transfer::printable(to_text(from))));
  }
  return report.finish(summary, false);
}

Result<ExitCode> copy(const Arguments& arguments, Context& context) {
  for (const std::string_view name : {"FROM", "TO"}) {
    const std::string& text = arguments.positional(name);
    if (transfer::is_s3_uri(text)) continue;
    return usage_error(fmt::format("'{}' is not in S3", transfer::printable(text)),
                       name == "FROM" ? "To bring a file to S3: runctl s3 upload."
                                      : "To bring an object here: runctl s3 download.");
  }
  RUNCTL_TRY_LET(auto attributes, parse_attributes(arguments));
  transfer::Copy pattern{.condition = parse_condition(arguments),
                         .attributes = std::move(attributes),
                         .replaces_headers = replaces_headers(arguments)};
  return arguments.has("--recursive") ? copy_folder(arguments, context, pattern)
                                      : copy_object(arguments, context, std::move(pattern));
}

}  // namespace

const CommandSpec s3_copy{.path = "s3 copy",
                          .summary = "copy an object or a folder inside S3",
                          .positionals = positionals,
                          .options = options,
                          .danger = Danger::changes,
                          .run = copy};

}  // namespace runctl::cli
