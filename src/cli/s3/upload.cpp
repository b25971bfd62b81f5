// runctl s3 upload
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/units.hpp"
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
    {.name = "PATH", .help = "a file, or with --recursive a directory"},
    {.name = "S3URI", .help = "s3://BUCKET/KEY; with a slash at its end the file keeps its name"},
}};
constexpr auto options =
    joined(recursive_option, filter_options, links_option, condition_option, object_options,
           customer_key_options, speed_options, upload_options, connection_options);

Links links_of(const Arguments& arguments) {
  return arguments.has("--follow-symlinks") ? Links::followed : Links::shown;
}

std::unexpected<Error> wrong_kind(const std::string& path, std::string_view what,
                                  std::string_view hint) {
  auto wrong =
      fail(Errc::invalid_argument, fmt::format("'{}' is {}", transfer::printable(path), what));
  wrong.error().hint = hint;
  return wrong;
}

Result<ExitCode> upload_file(const Arguments& arguments, Context& context, const fs::path& path,
                             std::uint64_t size, transfer::S3Uri target) {
  if (target.key.empty() || target.key.ends_with('/')) {
    target.key += path.filename().string();
    RUNCTL_TRY_LET(target, transfer::parse_s3_uri(to_text(target)));
  }
  RUNCTL_TRY_LET(auto attributes, parse_attributes(arguments));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  if (context.globals.dry_run) {
    ObjectPlan plan;
    plan.add(fmt::format("upload {} to {}", transfer::printable(path.string()),
                         transfer::printable(to_text(target))),
             size);
    return plan.show(context, "");
  }
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  // The file was named: what a link leads to is what is meant.
  return run_single(*session, arguments,
                    transfer::Upload{.name = path.string(),
                                     .target = {.bucket = target.bucket, .key = target.key},
                                     .follow = transfer::FollowSymlink::yes,
                                     .condition = parse_condition(arguments),
                                     .attributes = std::move(attributes)},
                    how);
}

// Counts beforehand what the walk will find, for the time that is left.
void count(transfer::LocalTree tree, Expected& expected, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto item = tree.next();
    if (!item) {
      expected.complete = true;
      return;
    }
    if (item->obstacle) continue;
    ++expected.objects;
    expected.bytes += item->facts.size;
  }
}

Result<ExitCode> upload_tree(const Arguments& arguments, Context& context, const fs::path& root,
                             const transfer::S3Uri& target) {
  RUNCTL_TRY_LET(auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(auto attributes, parse_attributes(arguments));
  RUNCTL_TRY_LET(const auto how, parse_transfer_options(arguments, context));
  const TreeUpload files{.root = root,
                         .bucket = target.bucket,
                         .folder = transfer::folder_of(target),
                         .links = links_of(arguments),
                         .condition = parse_condition(arguments),
                         .attributes = std::move(attributes)};
  const transfer::WalkOptions walk{
      .links = files.links, .filter = std::move(filter), .folder_size = files.folder.size()};
  RUNCTL_TRY_LET(auto tree, transfer::LocalTree::open(root, walk));
  if (context.globals.dry_run) {
    ObjectPlan plan = make_plan(arguments);
    while (const auto item = tree.next()) {
      if (item->obstacle) continue;
      const auto job = files.job(item->name);
      plan.add(fmt::format("upload {} to s3://{}/{}", transfer::printable(job.path().string()),
                           job.target.bucket, transfer::printable(job.target.key)),
               item->facts.size);
    }
    return plan.show(context, "It would upload nothing: there is no file.");
  }
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  S3Report report{*session, each_object(arguments)};
  TreeUploads jobs{std::move(tree), files, report};
  Expected expected;
  std::jthread counting;
  if (context.colour) {
    RUNCTL_TRY_LET(auto again, transfer::LocalTree::open(root, walk));
    counting =
        std::jthread{[&expected, again = std::move(again)](const std::stop_token& stop) mutable {
          count(std::move(again), expected, stop);
        }};
  }
  RUNCTL_TRY_LET(const auto summary, run_jobs(*session, jobs, report, how, expected));
  return report.finish(summary, false);
}

Result<ExitCode> upload(const Arguments& arguments, Context& context) {
  const std::string& path = arguments.positional("PATH");
  if (transfer::is_s3_uri(path)) {
    return wrong_kind(path, "in S3 already",
                      "To copy inside S3: runctl s3 copy. A local file of that name: ./s3:…");
  }
  RUNCTL_TRY_LET(auto target, parse_uri(arguments, "S3URI"));
  if (path == "-") {
    return wrong_kind("-", "no file's name",
                      "Standard input cannot be uploaded: write it to a file.");
  }
  RUNCTL_TRY_LET(const FileFacts facts, file_facts(path, Links::followed));
  if (facts.kind == FileKind::directory) {
    if (!arguments.has("--recursive")) {
      return wrong_kind(path, "a directory", "To upload everything in it: --recursive.");
    }
    return upload_tree(arguments, context, path, target);
  }
  if (facts.kind != FileKind::file) {
    return wrong_kind(path, "neither a file nor a directory",
                      "Devices, sockets and pipes have no size that S3 could be told.");
  }
  return upload_file(arguments, context, path, facts.size, std::move(target));
}

}  // namespace

const CommandSpec s3_upload{.path = "s3 upload",
                            .summary = "bring a file or a directory to S3",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::changes,
                            .run = upload};

}  // namespace runctl::cli
