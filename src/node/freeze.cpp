#include "node/freeze.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::node {

Result<Frozen> freeze(const Machine& machine, const FreezeRequest& request) {
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine,
                 {.name = "freeze",
                  .parameters = {{"VOLUME_ID", request.volume.str()},
                                 {"TOKEN", request.token},
                                 {"DEAD_MAN_SECONDS", std::to_string(request.dead_man.count())}}}));
  constexpr auto words = std::to_array<std::pair<std::string_view, Stillness>>(
      {{"frozen", Stillness::frozen},
       {"not_mounted", Stillness::not_mounted},
       {"in_use", Stillness::in_use},
       {"read_only", Stillness::read_only},
       {"written_back", Stillness::written_back}});
  const auto state = string_at(record, "state").value_or("");
  const auto* const found =
      std::ranges::find(words, state, &std::pair<std::string_view, Stillness>::first);
  if (found == words.end()) {
    return fail(Errc::corrupt, fmt::format("instance {} calls {} '{}', which is unknown",
                                           machine.instance, request.volume, to_utf8(state)));
  }
  return Frozen{.state = found->second,
                .mount_point = string_at(record, "mount_point").value_or(""),
                .journal = parse_journal(string_at(record, "journal").value_or(""))};
}

Result<Thawed> thaw(const Machine& machine, const VolumeId& volume, const std::string& token) {
  RUNCTL_TRY_LET(
      const auto record,
      run_script(machine,
                 {.name = "thaw", .parameters = {{"VOLUME_ID", volume.str()}, {"TOKEN", token}}}));
  return Thawed{.held = boolean_at(record, "held").value_or(false),
                .frozen = std::chrono::milliseconds{integer_at(record, "frozen_ms").value_or(0)}};
}

}  // namespace runctl::node
