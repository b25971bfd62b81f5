// Training runs as text and as records.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "node/run.hpp"

namespace runctl::cli {

[[nodiscard]] boost::json::object record_of(const node::RunReport& run);

// "is running", "failed with exit status 1", "was ended by signal 9", …
[[nodiscard]] std::string outcome_text(const node::RunReport& run);

// "3 files (1.5 MiB) are in s3://…; 2 are still to be sent", and what could not be; without a line
// end.
[[nodiscard]] std::string upload_text(const node::UploadReport& upload);

}  // namespace runctl::cli
