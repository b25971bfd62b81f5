// The machine that a new volume goes to: --instance INSTANCE [--mount DIR [--read-only]], as
// restore and clone take them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/cloud.hpp"
#include "cli/context.hpp"
#include "volume/facts.hpp"
#include "volume/mount.hpp"
#include "volume/place.hpp"
#include "volume/session.hpp"

namespace runctl::cli {

struct Target {
  volume::InstanceFacts machine;
  std::optional<volume::MountSpec> mount = {};
};

// Nothing without --instance. Errors: invalid_argument for --mount without --instance, and as
// parse_mount; those of volume::find_instance.
[[nodiscard]] Result<std::optional<Target>> find_target(const Arguments& arguments,
                                                        const volume::Session& session);

// "attach the copy to instance …", "mount it at …", for plans.
void add_steps(std::vector<std::string>& steps, std::string_view volume,
               const std::optional<Target>& target);

// An operation that makes a volume of `source` and brings it to the target; its plan tells another
// process where to.
[[nodiscard]] OperationSpec making_operation(std::string_view kind, std::string source,
                                             const std::optional<Target>& target);

// Adds where it is mounted to `text`; machine, device and mount to `record`.
void add_placed(std::string& text, boost::json::object& record, const Target& target,
                const volume::Placed& placed);

}  // namespace runctl::cli
