#include "node/grow.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/json.hpp"

namespace runctl::node {

Result<Grown> grow(const Machine& machine, const GrowRequest& request) {
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine,
                 {.name = "grow",
                  .parameters = {{"VOLUME_ID", request.volume.str()},
                                 {"SIZE_BYTES", std::to_string(request.size.bytes())},
                                 {"WAIT_SECONDS", std::to_string(request.device_wait.count())}}}));
  const auto bytes = [&](std::string_view name) {
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
  };
  return Grown{.type = string_at(record, "type").value_or(""),
               .old_bytes = bytes("old"),
               .new_bytes = bytes("new"),
               .already = boolean_at(record, "already").value_or(false)};
}

}  // namespace runctl::node
