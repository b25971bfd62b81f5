// Which way of giving several machines the same data fits. Pure: needs in, comparison out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace runctl::volume {

struct SharingNeeds {
  unsigned readers = 1;
  unsigned writers = 0;
  GiB size;
  unsigned zones = 1;  // in which the machines are
};

struct SharingOption {
  std::string_view id;  // stable, for programs: "snapshots"
  std::string name;     // "A volume each, restored from one snapshot"
  bool fits = false;
  std::string why_not = {};                // where it does not fit
  double once = 0;                         // dollars
  double per_month = 0;                    // dollars
  std::chrono::seconds until_readable{0};  // from the decision to the first full read
  std::string caution = {};
  std::string sources = {};  // where the numbers come from
};

// Those that fit first, the cheapest of them first. Costs are of the data alone, without machines.
[[nodiscard]] std::vector<SharingOption> sharing_advice(const SharingNeeds& needs);

}  // namespace runctl::volume
