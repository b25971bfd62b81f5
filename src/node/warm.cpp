#include "node/warm.hpp"

#include <algorithm>

#include <boost/json/value.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/block_readers.hpp"
#include "node/gzip.hpp"

namespace runctl::node {

Result<std::string> packed_readers() {
  std::string all;
  for (const EmbeddedText& reader : block_readers()) {
    RUNCTL_TRY_LET(const std::string packed, gzip(reader.text));
    if (!all.empty()) all += ' ';
    all += base64(packed);
  }
  return all;
}

Result<Warmed> warm_with(const std::string& readers, const Machine& machine, const VolumeId& volume,
                         const JobWatch& watch) {
  RUNCTL_TRY_LET(const auto record, run_job(machine,
                                            {.name = "warm",
                                             .parameters = {{"VOLUME_ID", volume.str()},
                                                            {"WAIT_SECONDS", "10"},
                                                            {"READERS", readers}}},
                                            volume.str(), watch));
  constexpr double per_second = 1000;
  return Warmed{
      .bytes = static_cast<std::uint64_t>(
          std::max<std::int64_t>(integer_at(record, "bytes").value_or(0), 0)),
      .seconds = static_cast<double>(integer_at(record, "milliseconds").value_or(0)) / per_second,
      .reader = string_at(record, "reader").value_or(""),
      .why = string_at(record, "why").value_or("")};
}

Result<Warmed> warm(const Machine& machine, const VolumeId& volume, const JobWatch& watch) {
  RUNCTL_TRY_LET(const std::string readers, packed_readers());
  return warm_with(readers, machine, volume, watch);
}

}  // namespace runctl::node
