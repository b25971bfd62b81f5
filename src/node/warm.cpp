#include "node/warm.hpp"

#include <algorithm>

#include <boost/json/value.hpp>

#include "base/json.hpp"

namespace runctl::node {

Result<Warmed> warm(const Machine& machine, const VolumeId& volume, const JobWatch& watch) {
  RUNCTL_TRY_LET(
      const auto record,
      run_job(machine,
              {.name = "warm", .parameters = {{"VOLUME_ID", volume.str()}, {"WAIT_SECONDS", "10"}}},
              volume, watch));
  constexpr double per_second = 1000;
  return Warmed{
      .bytes = static_cast<std::uint64_t>(
          std::max<std::int64_t>(integer_at(record, "bytes").value_or(0), 0)),
      .seconds = static_cast<double>(integer_at(record, "milliseconds").value_or(0)) / per_second};
}

}  // namespace runctl::node
