// runctl s3 create
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/session.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "s3://BUCKET, a name that nobody on AWS has"},
}};
constexpr auto options = joined(connection_options);

// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Old buckets
// may have other names, new ones not.
Result<void> check_name(std::string_view name) {
  const bool characters =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string_view::npos;
  const auto is_end = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (characters && name.size() <= 63 && is_end(name.front()) && is_end(name.back()) &&
      !name.contains("..")) {
    return {};
  }
  auto bad = fail(Errc::invalid_argument, fmt::format("no new bucket can be called '{}'", name));
  bad.error().hint =
      "A bucket's name has 3 to 63 lower-case letters, digits, hyphens and dots, and begins and "
      "ends "
      "with one of the first two.";
  return bad;
}

Result<ExitCode> create(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
  if (!uri.key.empty()) {
    auto wrong = fail(Errc::invalid_argument,
                      "only buckets are made: folders are there when "
                      "something is in them");
    wrong.error().hint = fmt::format("Write s3://{}.", uri.bucket);
    return wrong;
  }
  RUNCTL_TRY(check_name(uri.bucket));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  const std::string& region = session->client().config().region;
  if (context.globals.dry_run) {
    present(context,
            {.text = fmt::format("It would:\n  - make the bucket {} in {}\n", uri.bucket, region),
             .record = {{"dry_run", true}, {"bucket", uri.bucket}, {"region", region}}});
    return ExitCode::ok;
  }
  aws::s3::CreateBucketRequest request{.bucket = uri.bucket};
  // us-east-1 is what no constraint means, and cannot be named.
  if (region != "us-east-1") request.create_bucket_configuration.emplace(region);
  const auto made = session->client().call<aws::s3::CreateBucket>(request, session->options());
  bool already = false;
  if (!made) {
    already = made.error().remote && made.error().remote->code == "BucketAlreadyOwnedByYou";
    if (!already) return std::unexpected{made.error()};
  }
  present(context,
          {.text = fmt::format("Bucket {} {}.\n", uri.bucket,
                               already ? "is there already, and yours" : "is made"),
           .record = {{"bucket", uri.bucket}, {"region", region}, {"already_there", already}},
           .id = uri.bucket});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec s3_create{.path = "s3 create",
                            .summary = "make a bucket",
                            .positionals = positionals,
                            .options = options,
                            .danger = Danger::changes,
                            .run = create};

}  // namespace runctl::cli
