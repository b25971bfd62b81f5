// runctl s3 download
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/plan_text.hpp"
#include "cli/s3/run_jobs.hpp"
#include "cli/s3/sources.hpp"
#include "io/directory_reader.hpp"

namespace runctl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<PositionalSpec, 2> positionals{{
    {.name = "S3URI", .help = "an object, or with --recursive a folder or a bucket"},
    {.name = "PATH", .help = "the file to write, or the directory it goes to"},
}};
constexpr auto options =
    joined(recursive_option, filter_options, version_option, customer_key_options, speed_options,
           durability_option, connection_options);

struct Place {
  fs::path root;
  std::string name;
};

// A directory takes the object under its own name; anything else is the file to be.
Result<Place> place_of(const std::string& path, const transfer::S3Uri& uri) {
  const auto facts = file_facts(path, Links::followed);
  const bool is_directory = facts && facts->kind == FileKind::directory;
  Place place;
  if (is_directory || path.ends_with('/')) {
    place = {.root = path, .name = std::string{last_component(uri.key)}};
  } else {
    const fs::path whole{path};
    place = {.root = whole.has_parent_path() ? whole.parent_path() : ".",
             .name = whole.filename().string()};
  }
  if (const auto fault = transfer::fault_of_name(place.name); fault != transfer::NameFault::none) {
    return usage_error(fmt::format("no file can be called '{}': {}",
                                   transfer::printable(place.name), transfer::in_words(fault)),
                       "Name the file that it is to be.");
  }
  return place;
}

Result<ExitCode> download_object(const Arguments& arguments, Context& context,
                                 const transfer::S3Uri& uri) {
  RUNCTL_TRY_LET(const Place place, place_of(arguments.positional("PATH"), uri));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  const transfer::Download job{.source = {.bucket = uri.bucket,
                                          .key = uri.key,
                                          .version_id = arguments.get("--version-id").value_or("")},
                               .root = place.root,
                               .name = place.name};
  if (context.globals.dry_run) {
    ObjectPlan plan;
    plan.add(fmt::format("download {} to {}", transfer::printable(to_text(uri)),
                         transfer::printable((place.root / place.name).string())),
             0);
    return plan.show(context, "");
  }
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  auto done = run_single(*session, arguments, job, how);
  if (done || done.error().code != Errc::not_found) return done;
  const auto folder = is_folder(*session, uri);
  // HEAD says no more than 404: the list says whether it was the bucket.
  if (!folder && folder.error().code == Errc::not_found) return std::unexpected{folder.error()};
  if (folder && *folder) {
    done.error().hint = "It is a folder. To download everything in it: --recursive.";
  }
  return done;
}

std::unexpected<Error> nothing_there(const transfer::S3Uri& uri) {
  auto nothing = fail(Errc::not_found,
                      fmt::format("there is nothing at {}", transfer::printable(to_text(uri))));
  nothing.error().hint = fmt::format("See what there is: runctl s3 list s3://{}", uri.bucket);
  return nothing;
}

Result<ExitCode> download_folder(const Arguments& arguments, Context& context,
                                 const transfer::S3Uri& uri) {
  if (arguments.has("--version-id")) {
    return usage_error("--version-id names one object's version",
                       "It does not go with --recursive.");
  }
  const fs::path root{arguments.positional("PATH")};
  if (const auto facts = file_facts(root, Links::followed);
      facts && facts->kind != FileKind::directory) {
    return usage_error(fmt::format("'{}' is a file", transfer::printable(root.string())),
                       "A folder's objects need a directory to go to.");
  }
  RUNCTL_TRY_LET(const auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  S3Report report{*session, each_object(arguments)};
  DownloadNames names;
  FolderJobs jobs{*session, uri, filter, [&](FolderListing::Named named) {
                    return download_job(std::move(named), {.uri = uri, .root = root}, names,
                                        report);
                  }};
  if (context.globals.dry_run) {
    ObjectPlan plan = make_plan(arguments);
    while (true) {
      RUNCTL_TRY_LET(const auto job, jobs.next());
      if (!job) break;
      const auto& download = std::get<transfer::Download>(*job);
      plan.add(fmt::format("download s3://{}/{} to {}", uri.bucket,
                           transfer::printable(download.source.key),
                           transfer::printable((root / download.name).string())),
               *download.size);
    }
    return plan.show(context, "It would download nothing.");
  }
  const Expected expected;
  RUNCTL_TRY_LET(const auto summary, run_jobs(*session, jobs, report, how, expected));
  if (jobs.seen() == 0 && !summary.interrupted && filter.empty()) return nothing_there(uri);
  return report.finish(summary, false);
}

Result<ExitCode> download(const Arguments& arguments, Context& context) {
  const std::string& path = arguments.positional("PATH");
  if (transfer::is_s3_uri(path)) {
    return usage_error(
        fmt::format("'{}' is in S3", transfer::printable(path)),
        "To copy inside S3: runctl s3 copy. To bring a file there: runctl s3 upload.");
  }
  if (path == "-")
    return usage_error("'-' is no file's name", "To standard output: runctl s3 cat.");
  if (arguments.has("--recursive")) {
    RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
    return download_folder(arguments, context, uri);
  }
  RUNCTL_TRY_LET(const auto uri, parse_object_uri(arguments, "S3URI", "download"));
  return download_object(arguments, context, uri);
}

}  // namespace

const CommandSpec s3_download{.path = "s3 download",
                              .summary = "bring an object or a folder from S3",
                              .positionals = positionals,
                              .options = options,
                              .danger = Danger::changes,
                              .run = download};

}  // namespace runctl::cli
