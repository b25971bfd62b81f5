// What must hold of any bytes that are called a checkpoint of some format.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checkpoint/inspect.hpp"
#include "checkpoint/source.hpp"

namespace runctl {

// Reading ends, and ends in a finding; one that is not sound says why; what it says of itself are
// numbers; one that is trusted is not when its last byte is missing, and has its structure right.
// The file named so is of that format, or damaged.
inline int fuzz_checkpoint(const std::uint8_t* data, std::size_t size, std::string_view name) {
  using checkpoint::Depth;
  using checkpoint::Verdict;
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  checkpoint::MemorySource source{bytes};
  const auto trusted = [](const checkpoint::Finding& finding) {
    return finding.verdict == Verdict::sound || finding.verdict == Verdict::complete;
  };
  const auto whole = checkpoint::inspect_file(source, name, Depth::contents);
  const auto quick = checkpoint::inspect_file(source, name, Depth::structure);
  if (!whole || !quick) std::abort();
  if (whole->verdict != Verdict::sound && whole->why.empty()) std::abort();
  if (quick->verdict == Verdict::sound || (trusted(*whole) && !trusted(*quick))) std::abort();
  for (const auto& [key, value] : whole->facts.metrics) {
    if (!std::isfinite(value) || key.empty() || key.size() > 64) std::abort();
  }
  if (whole->facts.metrics.size() > checkpoint::most_metrics) std::abort();
  if (whole->facts.epoch && !(*whole->facts.epoch >= 0)) std::abort();
  if (size == 0 && whole->verdict != Verdict::damaged) std::abort();
  return 0;
}

}  // namespace runctl
