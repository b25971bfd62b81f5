// The engine at work for a command.
#pragma once

#include "base/result.hpp"
#include "cli/s3/progress.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/session.hpp"
#include "transfer/job.hpp"
#include "transfer/options.hpp"
#include "transfer/outcome.hpp"

namespace runctl::cli {

// Works off the jobs, with the progress line and --timeout. What was done before an error of the
// source, and what is left in the bucket, is in its details. Errors: those of
// transfer::Engine::run; a stop is none, the summary says it.
[[nodiscard]] Result<transfer::Summary> run_jobs(S3Session& session, transfer::JobSource& source,
                                                 S3Report& report, const transfer::Options& options,
                                                 const Expected& expected);

// One job, asked for by name.
[[nodiscard]] Result<ExitCode> run_single(S3Session& session, const Arguments& arguments,
                                          transfer::Job job, const transfer::Options& options);

// As -v says.
[[nodiscard]] EachObject each_object(const Arguments& arguments);

// Adds one summary to another, when a command has run the engine twice.
void add(transfer::Summary& sum, const transfer::Summary& more);

}  // namespace runctl::cli
