#include "checkpoint/finding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::checkpoint {
namespace {

struct FormatRow {
  std::string_view name;
  std::string_view words;
};

FormatRow row_of(Format format) {
  switch (format) {
    case Format::torch:
      return {.name = "torch", .words = "PyTorch"};
    case Format::torchscript:
      return {.name = "torchscript", .words = "TorchScript"};
    case Format::torch_legacy:
      return {.name = "torch_legacy", .words = "PyTorch (legacy)"};
    case Format::pickle:
      return {.name = "pickle", .words = "pickle"};
    case Format::safetensors:
      return {.name = "safetensors", .words = "safetensors"};
    case Format::hdf5:
      return {.name = "hdf5", .words = "HDF5"};
    case Format::keras:
      return {.name = "keras", .words = "Keras"};
    case Format::npy:
      return {.name = "npy", .words = "NumPy (npy)"};
    case Format::npz:
      return {.name = "npz", .words = "NumPy (npz)"};
    case Format::zip:
      return {.name = "zip", .words = "zip"};
    case Format::tensorflow:
      return {.name = "tensorflow", .words = "TensorFlow"};
    case Format::folder:
      return {.name = "folder", .words = "folder"};
    case Format::other:
      return {.name = "other", .words = "unknown"};
  }
  std::unreachable();
}

constexpr std::array<std::string_view, 4> epoch_names{"epoch", "epochs", "current_epoch", "ep"};
constexpr std::array<std::string_view, 10> step_names{
    "step",          "steps",     "global_step", "globalstep", "current_step",
    "training_step", "iteration", "iter",        "it",         "iterations"};

// Above that a double has no odd numbers any more.
constexpr double greatest_count = 9'007'199'254'740'992.0;  // 2^53

bool is_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  return !name.empty() && name.size() <= longest &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

void note_members(Facts& facts, const boost::json::object& object) {
  for (const auto& [key, member] : object) {
    if (member.is_number())
      note(facts, std::string_view{key.data(), key.size()}, member.to_number<double>());
  }
}

// The last entry that has it says what a metric is now.
void note_history(Facts& facts, const boost::json::array& history) {
  constexpr std::size_t most_entries = 100'000;
  const std::size_t from = history.size() > most_entries ? history.size() - most_entries : 0;
  for (std::size_t i = history.size(); i-- > from;) {
    if (const auto* entry = history[i].if_object()) note_members(facts, *entry);
  }
}

}  // namespace

std::string_view name_of(Format format) { return row_of(format).name; }
std::string_view in_words(Format format) { return row_of(format).words; }

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::sound:
      return "sound";
    case Verdict::complete:
      return "complete";
    case Verdict::unknown:
      return "unknown";
    case Verdict::damaged:
      return "damaged";
  }
  std::unreachable();
}

void note(Facts& facts, std::string_view name, double value) {
  if (!std::isfinite(value) || !is_name(name)) return;
  const std::string word = lower(name);
  if (std::ranges::find(epoch_names, word) != epoch_names.end()) {
    if (value >= 0 && value <= greatest_count && !facts.epoch) facts.epoch = value;
    return;
  }
  if (std::ranges::find(step_names, word) != step_names.end()) {
    const bool is_count = value >= 0 && value <= greatest_count && value == std::floor(value);
    if (is_count && !facts.step) facts.step = static_cast<std::uint64_t>(value);
    return;
  }
  if (facts.metrics.size() < most_metrics) facts.metrics.try_emplace(std::string{name}, value);
}

void fill_in(Facts& facts, const Facts& more) {
  if (!facts.epoch) facts.epoch = more.epoch;
  if (!facts.step) facts.step = more.step;
  for (const auto& [name, value] : more.metrics) {
    if (facts.metrics.size() < most_metrics) facts.metrics.try_emplace(name, value);
  }
}

Facts facts_of(const boost::json::value& document) {
  Facts facts;
  const auto* object = document.if_object();
  if (object == nullptr) return facts;
  note_members(facts, *object);
  for (const std::string_view name : {"metrics", "logs", "state", "trainer_state"}) {
    if (const auto* inner = object_at(document, name)) note_members(facts, *inner);
  }
  if (const auto* history = array_at(document, "log_history")) note_history(facts, *history);
  return facts;
}

}  // namespace runctl::checkpoint
