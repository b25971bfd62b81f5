// What a machine costs, for estimates.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fleet/launch.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

struct MachinePrice {
  double per_hour = 0;  // US dollars
  // On the spot market, as it is now: in the machine's zone, or, where EC2 chooses that, in the
  // dearest one. On demand: the list price of us-east-1, which other regions and contracts differ
  // from.
  Market market = Market::on_demand;
};

// Dollars an hour on demand; nothing for a type without a list price here. Pure.
[[nodiscard]] std::optional<double> list_price(std::string_view type);

// Asks the spot market for a spot machine; nothing where it does not say, and for a type without a
// list price. An estimate is worth no error.
[[nodiscard]] std::optional<MachinePrice> find_price(const volume::Session& session,
                                                     const LaunchSpec& spec);

// "$1.01 an hour (g5.xlarge, on demand, list price of us-east-1)"; says it when it is not known.
[[nodiscard]] std::string in_words(const std::optional<MachinePrice>& price,
                                   const LaunchSpec& spec);

}  // namespace runctl::fleet
