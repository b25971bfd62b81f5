// What a machine says of one run, read from a script's record.
#pragma once

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/run.hpp"

namespace runctl::node {

// `value` has the members of run_state.sh's run_json. Errors: corrupt without a run's id.
[[nodiscard]] Result<RunReport> read_run_report(const InstanceId& instance,
                                                const boost::json::value& value);

}  // namespace runctl::node
