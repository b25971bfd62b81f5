// Records as the JSON of their rows on disk.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "emulator/ec2/state.hpp"
#include "emulator/ssm/state.hpp"

namespace runctl::emulator {

[[nodiscard]] std::string to_row(const ec2::Volume& record);
[[nodiscard]] std::string to_row(const ec2::Snapshot& record);
[[nodiscard]] std::string to_row(const ec2::Instance& record);
[[nodiscard]] std::string to_row(const ec2::SpotRequest& record);
[[nodiscard]] std::string to_row(const ec2::Token& record);
[[nodiscard]] std::string to_row(const ssm::Command& record);

// Puts the record of a row into its table. `kind` is volume, snapshot, instance, spot-request,
// token or command.
// Errors: corrupt for a kind, an id or a row that this version does not know.
[[nodiscard]] Result<void> load_row(ec2::State& state, std::string_view kind, const std::string& id,
                                    std::string_view json);

}  // namespace runctl::emulator
