// What a training run is made of: what `aws train` and `workflow train` say of it, looked over
// before anything is changed.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/instance/train_code.hpp"
#include "cli/instance/train_data.hpp"
#include "cli/instance/train_interruption.hpp"
#include "cli/instance/train_output.hpp"
#include "training/train.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::cli {

inline constexpr std::array<OptionSpec, 16> train_options{{
    {.name = "--data-volume",
     .value = "VOLUME",
     .help = "mounted, and given to SCRIPT as RUNCTL_DATA_DIR"},
    {.name = "--checkpoint-volume",
     .value = "VOLUME",
     .help = "for RUNCTL_CHECKPOINT_DIR; may be the same one"},
    data_s3_option,
    output_s3_option,
    {.name = "--resume", .help = "go on from the newest checkpoint that verifies"},
    {.name = "--sync-code", .help = "send the project that SCRIPT is in (the default)"},
    {.name = "--no-sync-code", .help = "send SCRIPT alone"},
    include_pattern_option,
    code_bucket_option,
    code_limit_option,
    packages_option,
    on_interruption_option,
    interruption_hook_option,
    auto_resume_option,
    fallback_type_option,
    fallback_zone_option,
}};

// The script, its project and what its options say; neither machine nor volumes. Errors:
// invalid_argument; those of collect_code.
[[nodiscard]] Result<training::TrainSpec> train_spec_from(const Arguments& arguments,
                                                          const Context& context);

// --data-volume and --checkpoint-volume, by their ids or Names. Errors: those of `find`.
using FindVolume = std::function<Result<volume::VolumeFacts>(std::string_view)>;
[[nodiscard]] Result<void> find_volumes(const Arguments& arguments, const FindVolume& find,
                                        training::TrainSpec& spec);

// Neither copied nor moved apart from its specification, which borrows from it.
struct Preparation {
  std::unique_ptr<DataStaging> data;      // null without --data-s3
  std::unique_ptr<ResultUpload> results;  // null without --output-s3
  std::unique_ptr<CodeSender> sender;
};

// Looks at what of S3 the run needs, and gives `spec` its hooks. Errors: those of
// DataStaging::make, ResultUpload::make and CodeSender::make.
[[nodiscard]] Result<Preparation> prepare(const Arguments& arguments, Context& context,
                                          training::TrainSpec& spec);

// A line each. `code` is plan_text's, `machine` what the machine is called. Errors: those of
// find_packages and of signing.
[[nodiscard]] Result<std::vector<std::string>> steps_of(const training::TrainSpec& spec,
                                                        const Preparation& prepared,
                                                        std::string code, std::string_view machine);

// Starts the run as a part of the operation, and says so. Errors: those of training::start; what
// was put into S3 for it is taken away again when nothing was started.
[[nodiscard]] Result<training::Started> start_run(Context& context, const volume::Change& change,
                                                  training::TrainSpec& spec,
                                                  const Preparation& prepared);

}  // namespace runctl::cli
