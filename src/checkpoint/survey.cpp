#include "checkpoint/survey.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "checkpoint/half_saved.hpp"
#include "checkpoint/inspect.hpp"
#include "checkpoint/names.hpp"

namespace runctl::checkpoint {
namespace {

// Hugging Face's trainer_state.json grows by a line each few steps; a longer one says nothing that
// is not in the other files.
constexpr std::uint64_t largest_json = std::uint64_t{16} << 20U;

std::string_view base_name(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

// What an error of reading says: nothing when the command cannot go on with it.
std::optional<Finding> finding_of(const Error& error) {
  switch (error.code) {
    case Errc::internal:  // the disk does not give it back
      return Finding{.verdict = Verdict::damaged,
                     .why = fmt::format("it cannot be read: {}", error.message)};
    case Errc::denied:
      return Finding{.verdict = Verdict::unknown,
                     .why = fmt::format("it cannot be read: {}", error.message)};
    case Errc::invalid_argument:
    case Errc::conflict:
    case Errc::corrupt:
    case Errc::precondition:
    case Errc::not_found:
    case Errc::throttled:
    case Errc::unavailable:
    case Errc::deadline_exceeded:
    case Errc::cancelled:
      return std::nullopt;
  }
  std::unreachable();
}

Result<Finding> inspect_one(Place& place, const PlaceFile& file, Depth depth) {
  auto source = place.open(file);
  auto finding = source ? inspect_file(**source, base_name(file.name), depth)
                        : Result<Finding>{std::unexpected{std::move(source).error()}};
  if (finding) return finding;
  if (auto said = finding_of(finding.error())) return *std::move(said);
  return finding;
}

// The document of a JSON file; nothing for one that is too long, and the damage of one that is
// none.
struct Document {
  std::optional<boost::json::value> value = {};
  std::string damage = {};
};

// Python's json writes NaN and Infinity, which are no JSON, for a loss that is none: here a text.
std::string without_nan(std::string text) {
  bool in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (in_text && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      in_text = !in_text;
    } else if (!in_text) {
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
        if (std::string_view{text}.substr(at, word.size()) != word) continue;
        // As long as the word, so that a text of many of them is not moved for each; a text is what
        // no metric is.
        std::string nothing(word.size() - 2, ' ');
        text.replace(at, word.size(), fmt::format("\"{}\"", nothing));
        at += word.size() - 1;
        break;
      }
    }
  }
  return text;
}

Result<Document> read_document(Place& place, const PlaceFile& file) {
  if (file.size == 0) return Document{.damage = "it is empty"};
  if (file.size > largest_json) return Document{};
  auto source = place.open(file);
  auto text = source ? read_exactly(**source, 0, static_cast<std::size_t>((*source)->size()))
                     : Result<std::string>{std::unexpected{std::move(source).error()}};
  if (!text) {
    if (const auto said = finding_of(text.error())) return Document{.damage = said->why};
    if (text.error().code == Errc::corrupt) return Document{.damage = text.error().message};
    return std::unexpected{std::move(text).error()};
  }
  if (text->size() > largest_json) return Document{};
  auto value = parse_json(without_nan(*text));
  if (value) return Document{.value = *std::move(value)};
  // What this reader does not take for JSON may be fine for others; what was cut off has no end.
  const std::string_view whole = trim(*text);
  if (whole.ends_with('}') || whole.ends_with(']')) return Document{};
  return Document{.damage = "it ends within its JSON"};
}

// What the files of one checkpoint add up to.
class Sum {
 public:
  Sum(Place& place, const Checkpoint& checkpoint, Depth depth)
      : place_{place}, checkpoint_{checkpoint}, depth_{depth} {}

  Result<Finding> of_all() {
    for (const PlaceFile& file : checkpoint_.files) {
      RUNCTL_TRY(file.name.ends_with(".json") ? add_json(file) : add(file));
    }
    check_named();
    check_shards();
    finish();
    return std::move(sum_);
  }

 private:
  // The file's name in the checkpoint, for messages.
  [[nodiscard]] std::string shown(const PlaceFile& file) const {
    const std::string& folder = checkpoint_.name;
    return checkpoint_.is_folder && !folder.empty() ? file.name.substr(folder.size() + 1)
                                                    : file.name;
  }

  void damage(const std::string& where, std::string_view why) {
    if (sum_.verdict == Verdict::damaged) return;
    sum_.verdict = Verdict::damaged;
    sum_.why = where.empty() ? std::string{why} : fmt::format("{}: {}", where, why);
  }

  Result<void> add(const PlaceFile& file) {
    const std::string_view name = base_name(file.name);
    note_shard(name);
    if (is_text_name(name)) return {};
    if (checkpoint_.is_folder && is_unfinished_name(name)) {
      ++unfinished_;
      return {};
    }
    const bool is_data = is_data_name(name) || !checkpoint_.is_folder;
    if (!is_data && file.size == 0) return {};  // a mark
    RUNCTL_TRY_LET(const Finding finding, inspect_one(place_, file, depth_));
    if (finding.format != Format::other && !checkpoint_.is_folder && sum_.format == Format::other) {
      sum_.format = finding.format;
    }
    fill_in(sum_.facts, finding.facts);
    sum_.items += finding.items;
    if (finding.verdict == Verdict::damaged)
      damage(checkpoint_.is_folder ? shown(file) : "", finding.why);
    if (sum_.verdict == Verdict::damaged) return {};
    if (finding.verdict == Verdict::unknown) {
      if (why_unknown_.empty()) why_unknown_ = finding.why;
      return {};
    }
    if (finding.verdict == Verdict::complete && why_complete_.empty()) why_complete_ = finding.why;
    ++known_;
    return {};
  }

  Result<void> add_json(const PlaceFile& file) {
    RUNCTL_TRY_LET(const Document document, read_document(place_, file));
    if (!document.damage.empty()) damage(shown(file), document.damage);
    if (!document.value) return {};
    const std::string_view name = base_name(file.name);
    // Of a folder only what is written for it: a model's config.json has numbers that are no
    // metrics.
    const bool speaks_of_it = !checkpoint_.is_folder || name == "metadata.json" ||
                              name == "trainer_state.json" || name == "metrics.json" ||
                              name == "all_results.json" || name == "state.json";
    if (speaks_of_it) fill_in(said_beside_, facts_of(*document.value));
    const auto* map = object_at(*document.value, "weight_map");
    if (map == nullptr || !name.ends_with(".index.json")) return {};
    const auto folder = file.name.substr(0, file.name.size() - name.size());
    for (const auto& [tensor, shard] : *map) {
      if (const auto* text = shard.if_string())
        named_.insert(folder + std::string{text->data(), text->size()});
    }
    return {};
  }

  // "model-00001-of-00002.safetensors": the set must be whole.
  void note_shard(std::string_view name) {
    const std::string stem{name.substr(0, name.size() - extension_of(name).size())};
    const auto of = stem.rfind("-of-");
    if (of == std::string::npos || of < 6 || stem.size() != of + 9 || stem[of - 6] != '-') return;
    const auto digits = [&](std::size_t at) -> std::optional<unsigned> {
      unsigned value = 0;
      for (const char c : std::string_view{stem}.substr(at, 5)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
      }
      return value;
    };
    const auto number = digits(of - 5);
    const auto count = digits(of + 4);
    if (number && count) {
      shards_[{stem.substr(0, of - 6) + extension_of(name), *count}].insert(*number);
    }
  }

  void check_named() {
    for (const PlaceFile& file : checkpoint_.files) named_.erase(file.name);
    if (!named_.empty())
      damage(std::string{base_name(*named_.begin())}, "its index names it, and it is missing");
  }

  void check_shards() {
    for (const auto& [set, numbers] : shards_) {
      if (numbers.size() != set.second) {
        damage("", fmt::format("of the {} files of {} {} are there", set.second, set.first,
                               numbers.size()));
      }
    }
    if (checkpoint_.finding.format != Format::tensorflow) return;
    sum_.format = Format::tensorflow;
    std::map<std::uint64_t, std::set<std::uint64_t>> shards;
    bool has_index = false;
    for (const PlaceFile& file : checkpoint_.files) {
      const auto name = read_tensorflow_name(file.name);
      if (!name) continue;
      has_index = has_index || file.name.ends_with(".index");
      if (name->shard) shards[name->shards].insert(*name->shard);
    }
    if (!has_index) damage("", "its .index file is missing");
    if (shards.empty()) damage("", "its .data files are missing");
    for (const auto& [count, numbers] : shards) {
      if (numbers.size() != count)
        damage("", fmt::format("of its {} .data files {} are there", count, numbers.size()));
    }
  }

  void finish() {
    if (checkpoint_.is_folder) sum_.format = Format::folder;
    // Of a folder's files the optimizer's, say, may count in a way of its own.
    if (checkpoint_.is_folder) std::swap(sum_.facts, said_beside_);
    fill_in(sum_.facts, said_beside_);
    if (unfinished_ > 0 && sum_.verdict != Verdict::damaged && known_ == 0) {
      damage("", "its files are unfinished");
    }
    if (sum_.verdict == Verdict::damaged) return;
    if (known_ == 0) {
      sum_.verdict = Verdict::unknown;
      sum_.why = why_unknown_.empty() ? "it has no file of weights" : why_unknown_;
      return;
    }
    const bool all_sound = why_complete_.empty() && why_unknown_.empty();
    sum_.verdict = all_sound ? Verdict::sound : Verdict::complete;
    sum_.why = why_complete_.empty() ? why_unknown_ : why_complete_;
  }

  Place& place_;
  const Checkpoint& checkpoint_;
  Depth depth_;
  Finding sum_;
  Facts said_beside_;
  std::string why_complete_;
  std::string why_unknown_;
  std::uint64_t known_ = 0;  // files that are sound or complete
  std::uint64_t unfinished_ = 0;
  std::set<std::string> named_;  // by indices
  std::map<std::pair<std::string, unsigned>, std::set<unsigned>> shards_;
};

void judge_whole(Checkpoint& checkpoint, std::string_view own_name) {
  if (checkpoint.finding.verdict == Verdict::damaged) return;
  std::string why = why_half_saved(checkpoint, own_name);
  if (why.empty()) return;
  checkpoint.finding.verdict = Verdict::damaged;
  checkpoint.finding.why = std::move(why);
}

}  // namespace

Result<void> inspect(Place& place, Checkpoint& checkpoint, Depth depth) {
  RUNCTL_TRY_LET(Finding finding, Sum(place, checkpoint, depth).of_all());
  const std::string name = checkpoint.name.empty() ? place.own_name() : checkpoint.name;
  fill_in(finding.facts, facts_of_name(base_name(name)));
  checkpoint.finding = std::move(finding);
  checkpoint.depth = depth;
  judge_whole(checkpoint, base_name(name));
  return {};
}

Result<Grouping> survey(Place& place, Depth depth) {
  RUNCTL_TRY_LET(std::vector<PlaceFile> files, place.files());
  Grouping grouping = group_files(std::move(files), place.own_name(), place.named_file());
  std::vector<Checkpoint> seen;
  for (Checkpoint& checkpoint : grouping.checkpoints) {
    for (const std::string& top : checkpoint.top_names) {
      checkpoint.is_linked = checkpoint.is_linked || place.is_link(top);
    }
    const auto looked = inspect(place, checkpoint, depth);
    // A training removes its older ones while it goes on.
    if (!looked && looked.error().code == Errc::not_found) continue;
    if (!looked) return std::unexpected{looked.error()};
    seen.push_back(std::move(checkpoint));
  }
  find_lacking(seen);
  for (Checkpoint& checkpoint : seen) {
    if (!checkpoint.lacks.empty()) judge_whole(checkpoint, checkpoint.name);
  }
  grouping.checkpoints = std::move(seen);
  return grouping;
}

}  // namespace runctl::checkpoint
