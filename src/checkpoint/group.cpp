// Which files are a checkpoint together.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "checkpoint/names.hpp"
#include "checkpoint/survey.hpp"
#include "transfer/cleanup_plan.hpp"

namespace runctl::checkpoint {
namespace {

std::string_view top_of(std::string_view name) { return name.substr(0, name.find('/')); }

bool is_top(std::string_view name) { return !name.contains('/'); }

bool has_number(std::string_view name) { return transfer::read_checkpoint_name(name).has_value(); }

// The stem of a sidecar's name: "epoch_5" of "epoch_5.json", "epoch_5.pt" of "epoch_5.pt.json".
std::optional<std::string_view> sidecar_stem(std::string_view name) {
  if (!name.ends_with(".json")) return std::nullopt;
  return name.substr(0, name.size() - 5);
}

std::string stem_of(std::string_view name) {
  return std::string{name.substr(0, name.size() - extension_of(name).size())};
}

bool is_checkpoint_file(std::string_view name) {
  if (is_text_name(name)) return false;
  return is_data_name(name) || has_number(name);
}

void add_file(Checkpoint& checkpoint, PlaceFile file) {
  checkpoint.bytes += file.size;
  checkpoint.written = std::max(checkpoint.written, file.modified);
  checkpoint.files.push_back(std::move(file));
}

void read_number(Checkpoint& checkpoint, std::string_view name) {
  auto number = transfer::read_checkpoint_name(name);
  if (!number) return;
  checkpoint.series = std::move(number->series);
  // "epoch_1.pt" and "epoch_1.h5" are two series.
  if (!checkpoint.is_folder) checkpoint.series += extension_of(name);
  checkpoint.numbers = std::move(number->numbers);
}

class Grouper {
 public:
  Grouper(std::vector<PlaceFile> files, std::string_view named)
      : files_{std::move(files)}, named_{named} {}

  Grouping all() {
    find_folders();
    for (const PlaceFile& file : files_) {
      if (is_top(file.name)) add_top_file(file);
    }
    for (const PlaceFile& file : files_) place(file);
    for (auto& [name, checkpoint] : found_) {
      read_number(checkpoint, name);
      grouping_.checkpoints.push_back(std::move(checkpoint));
    }
    return std::move(grouping_);
  }

 private:
  void find_folders() {
    for (const PlaceFile& file : files_) {
      if (is_top(file.name)) continue;
      const std::string_view top = top_of(file.name);
      const std::string_view rest = std::string_view{file.name}.substr(top.size() + 1);
      const bool is_one = has_number(top) || (is_top(rest) && is_data_name(rest));
      if (!is_one || top.starts_with(".git")) continue;
      Checkpoint& checkpoint = found_[std::string{top}];
      checkpoint.name = top;
      checkpoint.top_names = {std::string{top}};
      checkpoint.is_folder = true;
      checkpoint.is_unfinished = is_unfinished_name(top);
    }
  }

  void add_top_file(const PlaceFile& file) {
    const std::string_view name = file.name;
    const auto tensorflow = read_tensorflow_name(name);
    const bool is_one = tensorflow || is_checkpoint_file(name) || is_unfinished_name(name);
    if (!is_one && name != named_) return;
    const std::string key = tensorflow ? tensorflow->checkpoint : std::string{name};
    Checkpoint& checkpoint = found_[key];
    checkpoint.name = key;
    checkpoint.is_unfinished = is_unfinished_name(name);
    if (tensorflow) checkpoint.finding.format = Format::tensorflow;
    if (!tensorflow) by_stem_[stem_of(name)].insert(key);
    owner_[file.name] = key;
  }

  void place(const PlaceFile& file) {
    if (!is_top(file.name)) {
      const auto folder = found_.find(std::string{top_of(file.name)});
      if (folder == found_.end()) {
        ++grouping_.other_files;
      } else {
        add_file(folder->second, file);
      }
      return;
    }
    if (const auto owner = owner_.find(file.name); owner != owner_.end()) {
      Checkpoint& checkpoint = found_[owner->second];
      checkpoint.top_names.push_back(file.name);
      add_file(checkpoint, file);
      return;
    }
    if (!place_sidecar(file)) ++grouping_.other_files;
  }

  bool place_sidecar(const PlaceFile& file) {
    const auto stem = sidecar_stem(file.name);
    if (!stem) return false;
    if (const auto whole = found_.find(std::string{*stem});
        whole != found_.end() && !whole->second.is_folder) {
      whole->second.top_names.push_back(file.name);
      add_file(whole->second, file);
      return true;
    }
    const auto found = by_stem_.find(std::string{*stem});
    if (found == by_stem_.end()) return false;
    for (const std::string& key : found->second) {
      // One that speaks of two stays with both, and goes with neither.
      if (found->second.size() == 1) found_[key].top_names.push_back(file.name);
      add_file(found_[key], file);
    }
    return true;
  }

  std::vector<PlaceFile> files_;
  std::string_view named_;
  Grouping grouping_;
  std::map<std::string, Checkpoint> found_;
  std::map<std::string, std::string> owner_;              // of files directly in the place
  std::map<std::string, std::set<std::string>> by_stem_;  // checkpoints' names
};

// Several names for one file, of which the removal of one would change the others.
void find_links(std::vector<Checkpoint>& checkpoints) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    for (const PlaceFile& file : checkpoints[i].files) {
      if (file.inode.empty()) continue;
      const auto [at, is_new] = seen.emplace(file.inode, i);
      if (is_new || at->second == i || is_text_name(file.name)) continue;
      checkpoints[i].is_linked = true;
      checkpoints[at->second].is_linked = true;
    }
  }
}

}  // namespace

Grouping group_files(std::vector<PlaceFile> files, std::string_view own_name,
                     std::string_view named) {
  Grouping grouping = Grouper{files, named}.all();
  const bool has_numbered = std::ranges::any_of(
      grouping.checkpoints, [](const Checkpoint& one) { return !one.series.empty(); });
  if (named.empty() && !has_numbered && has_number(own_name) && !is_data_name(own_name) &&
      !grouping.checkpoints.empty()) {
    Checkpoint whole;
    whole.is_folder = true;
    for (PlaceFile& file : files) add_file(whole, std::move(file));
    read_number(whole, own_name);
    grouping = {};
    grouping.checkpoints.push_back(std::move(whole));
  }
  find_links(grouping.checkpoints);
  return grouping;
}

}  // namespace runctl::checkpoint
