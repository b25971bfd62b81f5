// runctl s3 cleanup --multipart: uploads that nobody finished, and that are paid for.
#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// Lists them, asks, aborts. Errors: those of S3; conflict without consent.
[[nodiscard]] Result<ExitCode> abort_abandoned(const Arguments& arguments, Context& context);

}  // namespace runctl::cli
