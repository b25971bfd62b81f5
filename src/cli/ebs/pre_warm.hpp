// Filling a volume from S3, for the commands that do: `pre-warm`, and `create --pre-warm`.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/cloud.hpp"
#include "cli/context.hpp"
#include "cli/ebs/fill_objects.hpp"
#include "cli/output.hpp"
#include "cli/s3/session.hpp"
#include "fleet/prewarm.hpp"

namespace runctl::cli {

// By which a temporary machine is told from those that somebody wants to keep.
[[nodiscard]] volume::Tags helper_tags(const VolumeId& volume);

// "rent a temporary t3.medium …", "download 20 objects (3 GiB) …", for plans and questions.
// `volume` is its name in words.
[[nodiscard]] std::vector<std::string> fill_steps(const fleet::PrewarmPlan& plan,
                                                  const Survey& survey, std::string_view volume);

// What a filling has come to.
struct Filled {
  Presentation presentation;
  ExitCode code = ExitCode::ok;
};

// Carries out a plan that was agreed to, as an operation of its own. Exit code 7 when objects are
// missing. Errors: those of execute_prewarm; what was downloaded before is among the details.
[[nodiscard]] Result<Filled> carry_out_fill(Context& context, Cloud& cloud, S3Session& s3,
                                            const fleet::PrewarmPlan& plan, const Survey& survey);

}  // namespace runctl::cli
