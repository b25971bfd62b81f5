// Training runs as text and as records.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "node/run.hpp"

namespace runctl::cli {

[[nodiscard]] boost::json::object record_of(const node::RunReport& run);

// "is running", "failed with exit status 1", "was ended by signal 9", …
[[nodiscard]] std::string outcome_text(const node::RunReport& run);

}  // namespace runctl::cli
