// Whatever a file is called, what its name says are numbers of a training, and the same each time;
// and the files of a folder are each in one checkpoint, or in none.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/survey.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace runctl;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::vector<checkpoint::PlaceFile> files;
  for (const std::string_view name : split(text, '\n')) {
    const auto facts = checkpoint::facts_of_name(name);
    if (facts.epoch && !(*facts.epoch >= 0)) std::abort();
    for (const auto& [key, value] : facts.metrics) {
      if (!std::isfinite(value) || key.empty()) std::abort();
    }
    if (!name.empty()) files.push_back({.name = std::string{name}, .size = 1});
  }
  const auto grouping = checkpoint::group_files(files, "run");
  for (const auto& one : grouping.checkpoints) {
    if (one.files.empty() || (one.is_folder && one.top_names.size() > 1)) std::abort();
  }
  return 0;
}
