// The checkpoints of a place: which files belong to which, and what is found of each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/place.hpp"

namespace runctl::checkpoint {

struct Checkpoint {
  std::string name = {};    // in its place: "epoch_5.pt", "checkpoint-500"; "" for the place itself
  std::string series = {};  // what it has in common with its siblings; "" for one without a number
  std::vector<std::uint64_t> numbers = {};  // of its name, which order a series
  std::vector<PlaceFile> files = {};        // its own, and those that say something of it
  std::vector<std::string> top_names = {};  // what lies directly in the place
  std::uint64_t bytes = 0;
  FileTimestamp written{};  // when the last of its files was
  bool is_folder = false;
  bool is_unfinished = false;  // by its name
  bool is_linked = false;      // by another name too, or is itself a link
  // Of a folder: a file that all older ones of its series have, with N for numbers; "" for none.
  std::string lacks = {};
  Finding finding = {};
  Depth depth = Depth::structure;  // to which it was looked at
};

struct Grouping {
  std::vector<Checkpoint> checkpoints = {};  // in the order of their names
  std::uint64_t other_files = 0;
};

// Which of the files are checkpoints: pure. A file is one when its extension is one of data
// (is_data_name), or its name has a number (epoch_5) and is not one of a text; a folder when its
// name has a number or a file directly in it is one of data. "x.json" and "x.pt.json" belong to
// "x.pt". A place whose own name has a number, and in which none has, is one checkpoint itself.
// `named` is the file that somebody asked for, a checkpoint whatever it is called; "" for none.
[[nodiscard]] Grouping group_files(std::vector<PlaceFile> files, std::string_view own_name,
                                   std::string_view named = "");

// Looks into the files of `checkpoint`, and fills in its finding: the worst verdict of its files,
// facts from the file itself, then its JSON (of a folder its JSON, then its files), then its name.
// In a folder, texts change nothing, and a file whose format is not known makes of `sound` a
// `complete`; every file that an index
// (*.index.json) names must be there, as must all of a set of shards, and what its writer writes
// besides (half_saved.hpp). JSON that is cut off is damage. Errors: those of reading that say
// nothing of the file (denied, unavailable, cancelled); not_found when it is gone.
[[nodiscard]] Result<void> inspect(Place& place, Checkpoint& checkpoint, Depth depth);

// All of a place, each looked at, and folders beside their older siblings. What is removed
// meanwhile is left out. Errors: as above.
[[nodiscard]] Result<Grouping> survey(Place& place, Depth depth);

}  // namespace runctl::checkpoint
