// The data of `aws train`: what of S3 its options name, brought to the machine before the run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/ebs/fill_objects.hpp"
#include "cli/s3/session.hpp"
#include "training/train.hpp"

namespace runctl::cli {

inline constexpr OptionSpec data_s3_option{
    .name = "--data-s3",
    .value = "S3URI",
    .help = "download what is below it to the data volume, or the machine's disk, first"};

// What is below a folder of S3, looked over, and then staged. Neither copied nor moved: the run's
// specification borrows it.
class DataStaging {
 public:
  // Nothing without --data-s3. Lists what is there. Errors: invalid_argument; conflict for a data
  // volume that is sealed, holds the checkpoints as well, or is too small; those of connect_s3 and
  // survey.
  [[nodiscard]] static Result<std::unique_ptr<DataStaging>> make(const Arguments& arguments,
                                                                 Context& context,
                                                                 const training::TrainSpec& spec);
  DataStaging(std::unique_ptr<S3Session> s3, Survey survey)
      : s3_{std::move(s3)}, survey_{std::move(survey)} {}
  DataStaging(const DataStaging&) = delete;
  DataStaging& operator=(const DataStaging&) = delete;
  DataStaging(DataStaging&&) = delete;
  DataStaging& operator=(DataStaging&&) = delete;
  ~DataStaging() = default;

  // "download 3 objects (2 MiB) from s3://… to volume data", for a plan.
  [[nodiscard]] std::string step(const training::TrainSpec& spec) const;
  // Borrows this. Errors: those of fill; precondition, with exit code 7, when an object is missing.
  [[nodiscard]] training::Stage stage();
  // What was staged, and what was left out, for records.
  [[nodiscard]] boost::json::object record() const;
  // Says on standard error what cannot be a file.
  void note_left_out(Context& context) const;

 private:
  Result<std::string> bring(const volume::Change& change, const InstanceId& machine,
                            const std::optional<volume::VolumeFacts>& volume);
  [[nodiscard]] Error missing_objects() const;

  std::unique_ptr<S3Session> s3_;
  Survey survey_;
  FillReport report_ = {};
};

}  // namespace runctl::cli
