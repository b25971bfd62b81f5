#include "checkpoint/half_saved.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "checkpoint/names.hpp"
#include "checkpoint/newest.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::string_view last_written = "trainer_state.json";

// "model-00001-of-00002.safetensors" is "model-N-of-N.safetensors".
std::string without_numbers(std::string_view name) {
  std::string pattern;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at])) {
      pattern += name[at];
    } else if (at == 0 || !is_digit(name[at - 1])) {
      pattern += 'N';
    }
  }
  return pattern;
}

std::string_view below(const Checkpoint& checkpoint, const PlaceFile& file) {
  const std::string_view name = file.name;
  return checkpoint.name.empty() ? name : name.substr(checkpoint.name.size() + 1);
}

// What a folder has that another one of its series should have too.
std::set<std::string> patterns_of(const Checkpoint& checkpoint) {
  std::set<std::string> patterns;
  for (const PlaceFile& file : checkpoint.files) {
    const std::string_view name = below(checkpoint, file);
    const std::string_view base = name.substr(name.rfind('/') + 1);
    const bool counts = (is_data_name(base) && !is_unfinished_name(base)) || base == last_written;
    if (counts) patterns.insert(without_numbers(name));
  }
  return patterns;
}

void find_lacking_of(std::vector<Checkpoint*>& series) {
  std::ranges::sort(series, {}, [](const Checkpoint* one) { return one->numbers; });
  std::optional<std::set<std::string>> common;  // of the older good ones
  for (auto begin = series.begin(); begin != series.end();) {
    // Of equal numbers none is older.
    const auto end = std::find_if(begin, series.end(), [&](const Checkpoint* one) {
      return one->numbers != (*begin)->numbers;
    });
    std::vector<std::set<std::string>> good;
    for (auto at = begin; at != end; ++at) {
      Checkpoint& one = **at;
      auto has = patterns_of(one);
      if (common) {
        const auto lacking =
            std::ranges::find_if(*common, [&](const auto& each) { return !has.contains(each); });
        if (lacking != common->end()) one.lacks = *lacking;
      }
      if (is_good(one)) good.push_back(std::move(has));
    }
    for (auto& has : good) {
      if (!common) common = has;
      std::erase_if(*common, [&](const std::string& each) { return !has.contains(each); });
    }
    begin = end;
  }
}

// "checkpoint-500", as Trainer alone names them.
bool is_trainers_name(std::string_view name) {
  constexpr std::string_view word = "checkpoint-";
  return name.starts_with(word) && name.size() > word.size() &&
         std::ranges::all_of(name.substr(word.size()), is_digit);
}

}  // namespace

void find_lacking(std::span<Checkpoint> checkpoints) {
  std::map<std::string, std::vector<Checkpoint*>> series;
  for (Checkpoint& one : checkpoints) {
    if (one.is_folder && !one.is_unfinished && !one.series.empty())
      series[one.series].push_back(&one);
  }
  for (auto& [name, members] : series) find_lacking_of(members);
}

std::string why_half_saved(const Checkpoint& checkpoint, std::string_view own_name) {
  if (!checkpoint.is_folder) return {};
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(
        checkpoint.files, [&](const PlaceFile& file) { return below(checkpoint, file) == name; });
  };
  if (is_trainers_name(own_name) && has("training_args.bin") && !has(last_written))
    return fmt::format("{} is missing, which its writer writes last", last_written);
  if (checkpoint.lacks.empty()) return {};
  return fmt::format("{} is missing, which all older ones of its series have", checkpoint.lacks);
}

}  // namespace runctl::checkpoint
