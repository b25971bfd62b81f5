// Where the results of `aws train` and `local` go: what --output-s3 names, looked at before the
// run, and signed for when it starts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/s3/session.hpp"
#include "node/run.hpp"
#include "node/upload.hpp"
#include "training/train.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

inline constexpr OptionSpec output_s3_option{
    .name = "--output-s3",
    .value = "S3URI",
    .help = "upload what it writes to a folder of its own below this, while it goes on"};

// Neither copied nor moved: the run's specification borrows it.
class ResultUpload {
 public:
  // Nothing without --output-s3. Looks whether the bucket is there. Errors: invalid_argument;
  // not_found for a bucket that is not there; those of connect_s3.
  [[nodiscard]] static Result<std::unique_ptr<ResultUpload>> make(const Arguments& arguments,
                                                                  Context& context);
  ResultUpload(std::unique_ptr<S3Session> s3, transfer::S3Uri target)
      : s3_{std::move(s3)}, target_{std::move(target)} {}
  ResultUpload(const ResultUpload&) = delete;
  ResultUpload& operator=(const ResultUpload&) = delete;
  ResultUpload(ResultUpload&&) = delete;
  ResultUpload& operator=(ResultUpload&&) = delete;
  ~ResultUpload() = default;

  // "upload what it writes to s3://…/RUN/ …", for a plan. Errors: those of signing.
  [[nodiscard]] Result<std::string> step(bool has_output_directory);
  // Puts the run's record (run.json: its id and command, without secrets) where its results will
  // be: whether that can be written is known by it. Errors: those of the bucket.
  [[nodiscard]] Result<void> prepare(const node::RunId& run, const std::vector<std::string>& argv);
  // Errors: those of signing.
  [[nodiscard]] Result<node::UploadSpec> sign(const node::RunId& run);
  // The run was not started: its record goes, as far as that can be.
  void take_back();
  // prepare() and sign() for training::start. Borrows this.
  [[nodiscard]] training::UploadHooks hooks();

  // target, expires; once it is signed for.
  [[nodiscard]] boost::json::object record() const;
  void note_target(Context& context) const;

 private:
  [[nodiscard]] std::string prefix_of(const node::RunId& run) const;

  std::unique_ptr<S3Session> s3_;
  transfer::S3Uri target_;
  std::string prepared_ = {};  // the key of the run's record
  node::UploadSpec signed_ = {};
};

}  // namespace runctl::cli
