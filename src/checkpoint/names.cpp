#include "checkpoint/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "base/text.hpp"

namespace runctl::checkpoint {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 24> data_extensions{
    ".pt",    ".pth",    ".ckpt", ".bin",    ".safetensors", ".h5",     ".hdf5",     ".keras",
    ".npy",   ".npz",    ".pkl",  ".pickle", ".tar",         ".gguf",   ".onnx",     ".msgpack",
    ".model", ".params", ".zip",  ".joblib", ".distcp",      ".weight", ".pdparams", ".weights"};
constexpr std::array<std::string_view, 24> text_extensions{
    ".json", ".jsonl", ".txt",  ".log", ".csv",    ".tsv",  ".yaml", ".yml",
    ".toml", ".md",    ".png",  ".jpg", ".svg",    ".html", ".py",   ".sh",
    ".out",  ".err",   ".lock", ".pid", ".sha256", ".md5",  ".cfg",  ".ini"};
constexpr std::array<std::string_view, 18> metric_words{
    "loss", "acc", "accuracy", "f1",  "auc", "score", "ppl", "perplexity", "error",
    "rmse", "mae", "mse",      "wer", "cer", "bleu",  "iou", "dice",       "reward"};
constexpr std::array<std::string_view, 4> checkpoint_words{"checkpoint", "ckpt", "chkpt", "round"};
constexpr std::array<std::string_view, 8> unfinished_endings{
    ".tmp", ".temp", ".part", ".partial", ".incomplete", ".writing", ".crdownload", "~"};
constexpr std::array<std::string_view, 7> unfinished_beginnings{
    ".writing-", ".runctl-", ".tmp", "tmp-", "tmp_", ".~", ".nfs"};
constexpr std::array<std::string_view, 3> unfinished_middles{".tmp.", ".tmp-", ".tmp_"};
constexpr std::array<std::string_view, 4> places{"best", "last", "latest", "final"};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

bool has(Words words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// The pieces of a name between what is no letter.
bool has_word_of(Words words, std::string_view name) {
  std::size_t at = 0;
  while (at < name.size()) {
    std::size_t end = at;
    while (end < name.size() && is_letter(name[end])) ++end;
    if (end > at && has(words, name.substr(at, end - at))) return true;
    at = end + 1;
  }
  return false;
}

struct Named {
  std::string_view key;  // what stands before the number
  bool assigned = false;
  bool has_point = false;
  double value = 0;
  std::size_t end = 0;
};

// The number at `at`, and the key before it.
Named number_at(std::string_view name, std::size_t at) {
  Named found;
  std::size_t end = at;
  while (end < name.size() && is_digit(name[end])) ++end;
  if (end + 1 < name.size() && name[end] == '.' && is_digit(name[end + 1])) {
    found.has_point = true;
    ++end;
    while (end < name.size() && is_digit(name[end])) ++end;
  }
  std::size_t exponent = end;
  if (exponent + 2 < name.size() && name[exponent] == 'e' &&
      (name[exponent + 1] == '-' || name[exponent + 1] == '+') && is_digit(name[exponent + 2])) {
    exponent += 2;
    while (exponent < name.size() && is_digit(name[exponent])) ++exponent;
    end = exponent;
  }
  found.end = end;
  const auto read = std::from_chars(name.data() + at, name.data() + end, found.value);
  if (read.ec != std::errc{}) found.value = std::numeric_limits<double>::infinity();
  std::size_t before = at;
  bool negative = false;
  if (before >= 2 && name[before - 1] == '-' && name[before - 2] == '=') {
    negative = true;
    --before;
  }
  if (before > 0 && std::string_view{"=_-."}.contains(name[before - 1])) {
    found.assigned = name[--before] == '=';
  }
  if (negative) found.value = -found.value;
  std::size_t begin = before;
  while (begin > 0 && (is_letter(name[begin - 1]) || name[begin - 1] == '_' ||
                       (found.assigned && (is_digit(name[begin - 1]) || name[begin - 1] == '/')))) {
    --begin;
  }
  while (begin < before && !is_letter(name[begin])) ++begin;
  found.key = name.substr(begin, before - begin);
  return found;
}

std::string_view last_word(std::string_view key) {
  const auto bar = key.rfind('_');
  return bar == std::string_view::npos ? key : key.substr(bar + 1);
}

}  // namespace

Facts facts_of_name(std::string_view written) {
  std::string name = lower(written);
  const std::string extension = extension_of(name);
  if (has(data_extensions, extension)) name.resize(name.size() - extension.size());
  Facts facts;
  std::optional<double> of_checkpoint;
  for (std::size_t at = 0; at < name.size();) {
    if (!is_digit(name[at])) {
      ++at;
      continue;
    }
    const Named found = number_at(name, at);
    at = found.end;
    const std::string_view word = last_word(found.key);
    if (word == "epoch" || word == "ep") {
      note(facts, "epoch", found.value);
    } else if (word == "step" || word == "iter" || word == "iteration") {
      note(facts, "step", found.value);
    } else if (has(checkpoint_words, word)) {
      of_checkpoint = found.value;
    } else if (!found.key.empty() &&
               (found.assigned || (found.has_point && has_word_of(metric_words, found.key)))) {
      note(facts, found.key, found.value);
    }
  }
  if (of_checkpoint && !facts.epoch) note(facts, "step", *of_checkpoint);
  return facts;
}

bool is_unfinished_name(std::string_view name) {
  const std::string text = lower(name);
  const auto begins = [&](std::string_view with) { return text.starts_with(with); };
  const auto ends = [&](std::string_view with) { return text.ends_with(with); };
  const auto holds = [&](std::string_view what) { return text.contains(what); };
  return std::ranges::any_of(unfinished_beginnings, begins) ||
         std::ranges::any_of(unfinished_endings, ends) ||
         std::ranges::any_of(unfinished_middles, holds);
}

bool is_data_name(std::string_view name) { return has(data_extensions, extension_of(name)); }
bool is_text_name(std::string_view name) { return has(text_extensions, extension_of(name)); }

bool is_named_for_its_place(std::string_view name) { return has_word_of(places, lower(name)); }

bool is_named_for_being_last(std::string_view name) {
  constexpr std::array<std::string_view, 2> lasts{"last", "latest"};
  return has_word_of(lasts, lower(name));
}

std::string extension_of(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return lower(name.substr(dot));
}

std::optional<TensorflowName> read_tensorflow_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  TensorflowName found{.checkpoint = std::string{name.substr(0, dot)}};
  const std::string_view kind = name.substr(dot + 1);
  if (kind == "index" || kind == "meta") return found;
  constexpr std::string_view form = "data-00000-of-00001";
  if (kind.size() != form.size() || !kind.starts_with("data-") || kind.substr(10, 4) != "-of-") {
    return std::nullopt;
  }
  const auto five_digits = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  found.shard = five_digits(kind.substr(5, 5));
  const auto shards = five_digits(kind.substr(14, 5));
  if (!found.shard || !shards) return std::nullopt;
  found.shards = *shards;
  return found;
}

}  // namespace runctl::checkpoint
