#include "aws/ec2/on_demand_prices.hpp"

#include <algorithm>
#include <array>

namespace runctl::aws::ec2 {
namespace {

struct Row {
  std::string_view type;
  std::int64_t parts;
};

// Sorted by name.
constexpr auto prices = std::to_array<Row>({
    {"c5.4xlarge", 6'800},     {"c5.9xlarge", 15'300},     {"c5.large", 850},
    {"c5.xlarge", 1'700},      {"c6i.4xlarge", 6'800},     {"c6i.large", 850},
    {"g4dn.12xlarge", 39'120}, {"g4dn.2xlarge", 7'520},    {"g4dn.4xlarge", 12'040},
    {"g4dn.xlarge", 5'260},    {"g5.12xlarge", 56'720},    {"g5.2xlarge", 12'120},
    {"g5.48xlarge", 162'880},  {"g5.xlarge", 10'060},      {"g6.12xlarge", 46'016},
    {"g6.48xlarge", 133'504},  {"g6.xlarge", 8'048},       {"m1.small", 440},
    {"m4.large", 1'000},       {"m4.xlarge", 2'000},       {"m5.12xlarge", 23'040},
    {"m5.24xlarge", 46'080},   {"m5.2xlarge", 3'840},      {"m5.4xlarge", 7'680},
    {"m5.large", 960},         {"m5.xlarge", 1'920},       {"m6i.4xlarge", 7'680},
    {"m6i.large", 960},        {"m6i.xlarge", 1'920},      {"m7i.4xlarge", 8'064},
    {"m7i.large", 1'008},      {"m7i.xlarge", 2'016},      {"p3.2xlarge", 30'600},
    {"p3.8xlarge", 122'400},   {"p4d.24xlarge", 219'576},  {"p5.48xlarge", 550'400},
    {"r5.4xlarge", 10'080},    {"r5.large", 1'260},        {"t2.large", 928},
    {"t2.medium", 464},        {"t2.micro", 116},          {"t3.2xlarge", 3'328},
    {"t3.large", 832},         {"t3.medium", 416},         {"t3.micro", 104},
    {"t3.nano", 52},           {"t3.small", 208},          {"t3.xlarge", 1'664},
    {"trn1.2xlarge", 13'438},  {"trn1.32xlarge", 215'000},
});

}  // namespace

std::optional<std::int64_t> on_demand_price(std::string_view type) {
  const auto* const at = std::ranges::find(prices, type, &Row::type);
  if (at == prices.end()) return std::nullopt;
  return at->parts;
}

}  // namespace runctl::aws::ec2
