// What can go wrong with a volume as it stands now. Pure: facts in, report out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.hpp"
#include "node/machine_facts.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

enum class RiskLevel : std::uint8_t { none, low, medium, high, critical };
[[nodiscard]] std::string_view name_of(RiskLevel level);

// What a machine that has the volume says of it.
struct InsideFacts {
  InstanceId instance;
  // Nothing when the machine could not be asked; `why_not` says why.
  std::optional<node::DeviceFacts> device = {};
  std::string why_not = {};
};

struct RiskFacts {
  VolumeFacts volume;
  std::vector<InstanceFacts> holders = {};    // of its attachments, as far as EC2 knows them
  std::vector<SnapshotFacts> snapshots = {};  // of this volume
  std::vector<InsideFacts> inside = {};       // where machines were asked
  Timestamp now = {};
};

struct Risk {
  std::string_view id;      // stable, for programs: "second-machine"
  std::string scenario;     // "Another machine attaches it"
  std::string effect = {};  // what happens then
  RiskLevel level = RiskLevel::none;
  std::string way_out = {};  // a command, or a sentence; empty where nothing needs to be done
};

// Asks each machine that has the volume, and runs. One that does not answer is no error.
[[nodiscard]] std::vector<InsideFacts> ask_machines(const Session& session,
                                                    const VolumeFacts& volume,
                                                    const std::vector<InstanceFacts>& holders);

// The worst first. Sources: ebs-facts 1, 5, 8, 10 to 13, and the rules S1 to S15 of the contract.
[[nodiscard]] std::vector<Risk> risk_report(const RiskFacts& facts);

}  // namespace runctl::volume
