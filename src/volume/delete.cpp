#include "volume/delete.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "volume/lost_reply.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::volume {

Result<void> execute_delete(const Change& change, const VolumeFacts& planned) {
  const Session& session = change.session;
  RUNCTL_TRY_LET(const auto now, read_volume(session.aws, planned.id, session.options()));
  if (now != planned) {
    auto changed = fail(Errc::precondition,
                        fmt::format("volume {} changed since the plan was made", planned.id));
    changed.error().hint = "Nothing was deleted. Run the command again to see how it is now.";
    return changed;
  }
  auto sent = send<aws::ec2::DeleteVolume>(change, {.volume_id = planned.id.str()});
  if (!sent && sent.error().effect == Effect::not_applied)
    return std::unexpected{std::move(sent).error()};
  // Also after a lost answer: reading tells.
  auto gone = wait_for<bool>(
      session, {}, fmt::format("volume {} to be deleted", planned.id),
      [&]() -> Result<std::optional<bool>> {
        const auto seen = read_volume(session.aws, planned.id, session.options());
        if (!seen && seen.error().code == Errc::not_found) return true;
        if (!seen) return std::unexpected{seen.error()};
        return seen->state == VolumeState::deleted ? std::optional{true} : std::nullopt;
      });
  if (gone) return {};
  if (!sent) {
    return std::unexpected{
        lost_reply(std::move(gone).error(), "DeleteVolume", planned.id, "it is still there")};
  }
  return std::unexpected{std::move(gone).error()};
}

}  // namespace runctl::volume
