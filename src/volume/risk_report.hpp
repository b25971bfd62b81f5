// What can go wrong with a volume as it stands now. Pure: facts in, report out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

enum class RiskLevel : std::uint8_t { none, low, medium, high, critical };
[[nodiscard]] std::string_view name_of(RiskLevel level);

struct RiskFacts {
  VolumeFacts volume;
  std::vector<InstanceFacts> holders = {};    // of its attachments, as far as EC2 knows them
  std::vector<SnapshotFacts> snapshots = {};  // of this volume
  Timestamp now = {};
};

struct Risk {
  std::string_view id;      // stable, for programs: "second-machine"
  std::string scenario;     // "Another machine attaches it"
  std::string effect = {};  // what happens then
  RiskLevel level = RiskLevel::none;
  std::string way_out = {};  // a command, or a sentence; empty where nothing needs to be done
};

// The worst first. Sources: ebs-facts 1, 5, 8, 10 to 13, and the rules S1 to S15 of the contract.
[[nodiscard]] std::vector<Risk> risk_report(const RiskFacts& facts);

}  // namespace runctl::volume
