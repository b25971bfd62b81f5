// A folder of checkpoints in S3, or one object.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "checkpoint/place.hpp"
#include "cli/s3/session.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

// Borrows the session. What is named as an object and is one is that object, else it is a folder.
// Errors: not_found when there is neither; those of S3.
[[nodiscard]] Result<std::unique_ptr<checkpoint::Place>> open_s3_place(S3Session& session,
                                                                       const transfer::S3Uri& uri);

}  // namespace runctl::cli
