#include "cli/instance/train_output.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "aws/s3/bucket.hpp"
#include "aws/s3/post_policy.hpp"
#include "base/json.hpp"
#include "base/time_text.hpp"
#include "cli/output.hpp"
#include "node/run_record.hpp"
#include "node/script.hpp"
#include "training/s3_code_bucket.hpp"

namespace runctl::cli {
namespace {

// The longest that S3 takes a signature for; temporary credentials end sooner.
constexpr std::chrono::hours form_life{7 * 24};
// Of a run's id in a plan.
constexpr std::string_view some_run = "RUN";

Error explain(Error error, const transfer::S3Uri& target) {
  const std::string place = transfer::to_text(target);
  error.context.push_back(fmt::format("looking whether results can go to {}", place));
  if (error.code == Errc::not_found) {
    error.message = fmt::format("there is no bucket {}", target.bucket);
    error.hint = "Results have to go somewhere that is there. To make it:";
    error.ways_out = {fmt::format("runctl s3 create s3://{}", target.bucket)};
  } else if (error.code == Errc::denied) {
    error.message = fmt::format("results cannot be written to {}: {}", place, error.message);
    error.hint = fmt::format("It needs s3:PutObject on arn:aws:s3:::{}/{}*", target.bucket,
                             transfer::folder_of(target));
  }
  return error;
}

}  // namespace

Result<std::unique_ptr<ResultUpload>> ResultUpload::make(const Arguments& arguments,
                                                         Context& context) {
  const auto text = arguments.get("--output-s3");
  if (!text) return nullptr;
  RUNCTL_TRY_LET(auto target, transfer::parse_s3_uri(*text));
  // A run's folder, the folders in it and a file's name have to fit behind it.
  constexpr std::size_t longest_folder = 700;
  if (target.key.size() > longest_folder) {
    return fail(
        Errc::invalid_argument,
        fmt::format("--output-s3 is longer than {} bytes: keys have 1,024 in all", longest_folder));
  }
  const bool is_plain = std::ranges::none_of(
      target.key, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (!is_plain || target.key.contains("${filename}")) {
    return fail(
        Errc::invalid_argument,
        "the folder of --output-s3 has control characters, or ${filename}, which S3 replaces");
  }
  RUNCTL_TRY_LET(auto s3, connect_s3(context, {}));
  // Who may not look may still write: that is found out by writing.
  const auto head =
      s3->client().call<aws::s3::HeadBucket>({.bucket = target.bucket}, s3->options());
  if (!head && head.error().code != Errc::denied) {
    return std::unexpected{explain(head.error(), target)};
  }
  return std::make_unique<ResultUpload>(std::move(s3), std::move(target));
}

std::string ResultUpload::prefix_of(const node::RunId& run) const {
  return fmt::format("{}{}/", transfer::folder_of(target_), run.str());
}

Result<std::string> ResultUpload::step(bool has_output_directory) {
  RUNCTL_TRY_LET(const auto run, node::RunId::parse(some_run));
  RUNCTL_TRY_LET(const auto upload, sign(run));
  return fmt::format(
      "upload what it writes to {} as it appears and when it has ended, until {}{}", upload.target,
      iso8601(Timestamp{upload.expires}),
      has_output_directory ? "" : " (RUNCTL_OUTPUT_DIR is a directory of the run on its own disk)");
}

Result<void> ResultUpload::prepare(const node::RunId& run, const std::vector<std::string>& argv) {
  const std::string text =
      to_pretty_text(boost::json::object{{"run_id", run.str()},
                                         {"command", node::command_in_short(argv)},
                                         {"submitted", iso8601(s3_->context().clock.now())}});
  std::string key = prefix_of(run) + "run.json";
  training::S3CodeBucket bucket{s3_->client(), target_.bucket, s3_->options()};
  const auto put = bucket.put(key, text + "\n");
  if (!put) return std::unexpected{explain(put.error(), target_)};
  prepared_ = std::move(key);
  return {};
}

Result<node::UploadSpec> ResultUpload::sign(const node::RunId& run) {
  const std::string prefix = prefix_of(run);
  const aws::s3::PostPermit permit{
      .bucket = target_.bucket,
      .key_prefix = prefix,
      .fixed = {{.name = "x-amz-checksum-algorithm", .value = "SHA256"}},
      .free_fields = {"x-amz-checksum-sha256"}};
  RUNCTL_TRY_LET(auto post, s3_->client().presign_post(permit, form_life, s3_->options()));
  signed_ = {.url = std::move(post.url),
             .form = std::move(post.fields),
             .key_prefix = prefix,
             .target = fmt::format("s3://{}/{}", target_.bucket, prefix),
             .expires = std::chrono::floor<std::chrono::seconds>(post.expires)};
  return signed_;
}

void ResultUpload::take_back() {
  if (prepared_.empty()) return;
  training::S3CodeBucket bucket{s3_->client(), target_.bucket, s3_->options()};
  (void)bucket.remove(std::exchange(prepared_, {}));
}

training::UploadHooks ResultUpload::hooks() {
  return {.prepare = [this](const node::RunId& run,
                            const std::vector<std::string>& argv) { return prepare(run, argv); },
          .sign = [this](const node::RunId& run) { return sign(run); },
          .target =
              [this](const node::RunId& run) {
                return fmt::format("s3://{}/{}", target_.bucket, prefix_of(run));
              }};
}

boost::json::object ResultUpload::record() const {
  return {{"target", node::to_utf8(signed_.target)},
          {"expires", iso8601(Timestamp{signed_.expires})}};
}

void ResultUpload::note_target(Context& context) const {
  note(context, fmt::format("What it writes is uploaded to {} until {}.",
                            node::to_utf8(signed_.target), iso8601(Timestamp{signed_.expires})));
}

}  // namespace runctl::cli
