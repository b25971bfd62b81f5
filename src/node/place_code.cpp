#include "node/place_code.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {

std::string incoming_path(const std::string& project, const std::string& archive) {
  return fmt::format("/var/lib/runctl/projects/{}/incoming/{}", project, archive);
}

Result<CodeOnMachine> place_code(const Machine& machine, const CodeWish& wish) {
  const Script script{.name = "place_code",
                      .parameters = {{"PROJECT", wish.project},
                                     {"STATE", wish.state},
                                     {"RUN", wish.run == nullptr ? "" : wish.run->str()},
                                     {"BASE", wish.base},
                                     {"ARCHIVE", wish.archive},
                                     {"ARCHIVE_SHA256", wish.archive_hash},
                                     {"COMPRESSION", wish.compression},
                                     {"URL", wish.url},
                                     {"NEEDED", std::to_string(wish.needed_bytes)}}};
  RUNCTL_TRY_LET(const auto record, run_script(machine, script));
  const auto placed = boolean_at(record, "placed");
  if (!placed) {
    return fail(Errc::corrupt,
                fmt::format("instance {} did not say what it has of the code", machine.instance));
  }
  return CodeOnMachine{.placed = *placed,
                       .path = string_at(record, "path").value_or(""),
                       .state = string_at(record, "have").value_or(""),
                       .has_zstd = boolean_at(record, "zstd").value_or(false)};
}

Result<void> discard_code(const Machine& machine, const RunId& run) {
  const auto record =
      run_script(machine, {.name = "discard_code", .parameters = {{"RUN", run.str()}}});
  if (!record) return std::unexpected{record.error()};
  return {};
}

}  // namespace runctl::node
