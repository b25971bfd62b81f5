#include "transfer/cleanup_plan.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

#include "base/text.hpp"

namespace runctl::transfer {
namespace {

// Longer words before those that they begin with.
constexpr std::array<std::string_view, 8> words{"checkpoint", "iteration", "chkpt", "epoch",
                                                "round",      "ckpt",      "iter",  "step"};
constexpr std::array<std::string_view, 4> unnumbered{"best", "latest", "last", "final"};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool begins_word(std::string_view text, std::size_t at) {
  return at == 0 || !is_letter(text[at - 1]);
}

bool has_word(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if (begins_word(text, at) && (end == text.size() || !is_letter(text[end]))) return true;
  }
  return false;
}

struct Token {
  std::string_view word;
  std::uint64_t number = 0;
  std::size_t end = 0;  // behind the number
};

// A word with its number at `at`. Numbers of more than 18 digits are none: a hash, a time in
// nanoseconds.
std::optional<Token> token_at(std::string_view text, std::size_t at) {
  if (!begins_word(text, at)) return std::nullopt;
  for (const std::string_view word : words) {
    if (!text.substr(at).starts_with(word)) continue;
    std::size_t digit = at + word.size();
    if (digit < text.size() && std::string_view{"-_=."}.contains(text[digit])) ++digit;
    Token token{.word = word, .end = digit};
    while (token.end < text.size() && is_digit(text[token.end])) {
      token.number = token.number * 10 + static_cast<std::uint64_t>(text[token.end++] - '0');
      if (token.end - digit > 18) return std::nullopt;
    }
    if (token.end > digit) return token;
  }
  return std::nullopt;
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void find_doubts(std::vector<Checkpoint>& series) {
  std::vector<std::uint64_t> sizes;
  std::vector<std::uint64_t> counts;
  for (const Checkpoint& checkpoint : series) {
    sizes.push_back(checkpoint.bytes);
    counts.push_back(checkpoint.objects.size());
  }
  const std::uint64_t usual_size = median(std::move(sizes));
  const std::uint64_t usual_count = median(std::move(counts));
  for (Checkpoint& checkpoint : series) {
    if (checkpoint.bytes == 0) {
      checkpoint.doubt = "it is empty";
    } else if (checkpoint.objects.size() < usual_count) {
      checkpoint.doubt = "it has fewer files than the others";
    } else if (checkpoint.bytes < usual_size / 2) {
      checkpoint.doubt = "it is less than half as large as the others";
    }
  }
}

bool may_go(const Checkpoint& one, const std::vector<Checkpoint>& series, std::uint64_t keep_last) {
  std::uint64_t higher = 0;
  std::uint64_t later = 0;
  for (const Checkpoint& other : series) {
    if (!other.doubt.empty()) continue;
    if (other.name.numbers > one.name.numbers) ++higher;
    // S3 tells whole seconds: of what came up in one, the higher number counts as later.
    const bool is_later = other.newest == one.newest ? other.name.numbers > one.name.numbers
                                                     : other.newest > one.newest;
    if (is_later) ++later;
  }
  return higher >= keep_last && later >= keep_last;
}

// Whether something in the path says that it is nobody's to number. DeepSpeed's `latest`, a file in
// the folder of a checkpoint that names a folder beside it, is of that checkpoint: Source:
// save_checkpoint(save_latest) in DeepSpeed's documentation, and transformers, which calls it with
// its own "checkpoint-500".
bool is_set_apart(std::string_view path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    const std::string component = lower(path.substr(begin, slash - begin));
    const bool is_pointer = begin > 0 && slash == path.size() && component == "latest";
    for (const std::string_view word : unnumbered) {
      if (!is_pointer && has_word(component, word)) return true;
    }
    begin = slash + 1;
  }
  return false;
}

}  // namespace

std::optional<CheckpointName> read_checkpoint_name(std::string_view path) {
  if (is_set_apart(path)) return std::nullopt;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    const std::string component = lower(path.substr(begin, slash - begin));
    CheckpointName found;
    std::size_t end = 0;
    for (std::size_t at = 0; at < component.size();) {
      const auto token = token_at(component, at);
      if (!token) {
        ++at;
        continue;
      }
      if (found.numbers.empty()) found.series = path.substr(0, begin + at);
      found.series += std::string{token->word} + "*";
      found.numbers.push_back(token->number);
      at = token->end;
      end = token->end;
    }
    if (!found.numbers.empty()) {
      const bool is_folder = slash < path.size();
      found.name = path.substr(0, is_folder ? slash + 1 : begin + end);
      return found;
    }
    begin = slash + 1;
  }
  return std::nullopt;
}

CleanupPlan plan_cleanup(std::vector<CheckpointObject> objects, std::uint64_t keep_last) {
  assert(keep_last > 0);
  CleanupPlan plan;
  std::map<std::string, std::map<std::string, Checkpoint>> by_series;
  for (CheckpointObject& object : objects) {
    auto name = read_checkpoint_name(object.name);
    if (!name) {
      ++plan.other_objects;
      continue;
    }
    Checkpoint& checkpoint = by_series[name->series][name->name];
    checkpoint.name = *std::move(name);
    checkpoint.bytes += object.size;
    checkpoint.newest = std::max(checkpoint.newest, object.modified);
    checkpoint.objects.push_back(std::move(object));
  }
  for (auto& [key, members] : by_series) {
    std::vector<Checkpoint> series;
    for (auto& [name, checkpoint] : members) series.push_back(std::move(checkpoint));
    std::ranges::sort(series, std::ranges::greater{},
                      [](const Checkpoint& one) { return one.name.numbers; });
    find_doubts(series);
    std::vector<bool> goes;
    goes.reserve(series.size());
    for (const Checkpoint& one : series) goes.push_back(may_go(one, series, keep_last));
    for (std::size_t i = 0; i < series.size(); ++i) {
      (goes[i] ? plan.remove : plan.keep).push_back(std::move(series[i]));
    }
  }
  return plan;
}

}  // namespace runctl::transfer
