// runctl s3 remove
#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/plan_text.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/sources.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "an object, or with --recursive a folder or a bucket's content"},
}};
constexpr std::array<OptionSpec, 1> own_options{{
    {.name = "--confirm",
     .value = "BUCKET",
     .help = "the bucket's name: consent to lose all that is in it"},
}};
constexpr auto options = joined(recursive_option, filter_options, version_option, own_options,
                                speed_options, connection_options);

Result<ExitCode> remove_object(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_object_uri(arguments, "S3URI", "remove"));
  const std::string name = transfer::printable(to_text(uri));
  const std::string version = arguments.get("--version-id").value_or("");
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  // A version is asked for by its id alone: the list shows only what is current.
  std::uint64_t size = 0;
  if (version.empty()) {
    RUNCTL_TRY_LET(const auto object, find_object(*session, uri));
    if (!object) {
      RUNCTL_TRY_LET(const bool folder, is_folder(*session, uri));
      if (folder) {
        auto wrong = fail(Errc::invalid_argument, fmt::format("'{}' is a folder", name));
        wrong.error().hint = "To remove everything in it: --recursive.";
        return wrong;
      }
      present(context, {.text = fmt::format("{} is not there: nothing to remove.\n", name),
                        .record = {{"already_removed", true}, {"target", for_json(to_text(uri))}}});
      return ExitCode::ok;
    }
    size = object->size;
  }
  const std::string what =
      version.empty() ? fmt::format("{} ({})", name, bytes_in_words(size))
                      : fmt::format("version {} of {}", transfer::printable(version), name);
  if (context.globals.dry_run) {
    ObjectPlan plan;
    plan.add("remove " + what, size);
    return plan.show(context, "");
  }
  RUNCTL_TRY(ask_consent(context, fmt::format("Remove {}?", what)));
  return run_single(
      *session, arguments,
      transfer::Remove{.target = {.bucket = uri.bucket, .key = uri.key, .version_id = version},
                       .size = size},
      how);
}

struct Planned {
  ObjectPlan plan;
  Consented consented;
};

Result<Planned> plan_removal(const Arguments& arguments, S3Session& session,
                             const transfer::S3Uri& uri, const transfer::NameFilter& filter) {
  Planned planned{.plan = make_plan(arguments), .consented = {}};
  FolderListing listing{session, uri, filter};
  while (true) {
    RUNCTL_TRY_LET(const auto named, listing.next());
    if (!named) break;
    planned.plan.add(
        fmt::format("remove s3://{}/{} ({})", uri.bucket, transfer::printable(named->object.key),
                    bytes_in_words(named->object.size)),
        named->object.size);
    planned.consented.add(named->object);
  }
  planned.consented.close();
  return planned;
}

// A whole bucket is more than --yes consents to: `s3://bucket/$PREFIX` with an empty variable is
// one, whatever patterns were meant for what is in the folder.
bool is_whole_bucket(const transfer::S3Uri& uri) { return uri.key.empty(); }

Result<void> consent(const Arguments& arguments, Context& context, const transfer::S3Uri& uri,
                     const ObjectPlan* plan) {
  const std::string name = transfer::printable(to_text(uri));
  if (plan != nullptr && context.interactive) note(context, plan->text());
  const std::string what = plan == nullptr
                               ? std::string{"everything"}
                               : fmt::format("{} ({})", counted(plan->objects(), "object"),
                                             bytes_in_words(plan->bytes()));
  if (is_whole_bucket(uri)) {
    return ask_for_name(context,
                        fmt::format("Remove {} from the whole bucket {}", what, uri.bucket),
                        uri.bucket, "--confirm", arguments.get("--confirm"));
  }
  return ask_consent(context, fmt::format("Remove {} below {}?", what, name));
}

Result<ExitCode> remove_folder(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
  if (arguments.has("--version-id")) {
    auto wrong = fail(Errc::invalid_argument, "--version-id names one object's version");
    wrong.error().hint = "It does not go with --recursive.";
    return wrong;
  }
  RUNCTL_TRY_LET(const auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  const bool consented = is_whole_bucket(uri) ? arguments.has("--confirm") : context.globals.yes;
  std::optional<Planned> planned;
  if (context.globals.dry_run || !consented) {
    RUNCTL_TRY_LET(planned, plan_removal(arguments, *session, uri, filter));
    if (context.globals.dry_run) return planned->plan.show(context, "It would remove nothing.");
  }
  const bool any = !planned || planned->plan.objects() > 0;
  if (any) RUNCTL_TRY(consent(arguments, context, uri, planned ? &planned->plan : nullptr));
  S3Report report{*session, each_object(arguments)};
  // What was asked about is what goes: what has come or was written since stays, and is told.
  FolderJobs jobs{
      *session, uri, filter, [&](FolderListing::Named named) -> std::optional<transfer::Job> {
        if (planned && !planned->consented.contains(named.object)) {
          report.leave_out({.verb = "remove",
                            .place = fmt::format("s3://{}/{}", uri.bucket, named.object.key),
                            .code = "changed",
                            .why = "it was written after you were asked",
                            .is_failure = true});
          return std::nullopt;
        }
        return transfer::Remove{
            .target = {.bucket = uri.bucket, .key = std::move(named.object.key)},
            .size = named.object.size};
      }};
  const Expected expected;
  RUNCTL_TRY_LET(const auto summary, run_jobs(*session, jobs, report, how, expected));
  return report.finish(summary, false);
}

Result<ExitCode> remove(const Arguments& arguments, Context& context) {
  return arguments.has("--recursive") ? remove_folder(arguments, context)
                                      : remove_object(arguments, context);
}

}  // namespace

const CommandSpec s3_remove{.path = "s3 remove",
                            .summary = "delete an object or a folder",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::destroys,
                            .run = remove};

}  // namespace runctl::cli
