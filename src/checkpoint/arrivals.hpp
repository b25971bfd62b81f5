// Checkpoints of a place as they come: told once they are whole, or once nobody makes them so.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/place.hpp"
#include "checkpoint/survey.hpp"

namespace runctl::checkpoint {

// Borrows the place. A checkpoint is looked into once its files are the same in two looks, and told
// when it is not damaged; a damaged one when its files have been the same for `patience`, since
// until then it may be one that is being written. One whose files change is told again. What has a
// name that writers give until they are done is never told.
class Arrivals {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds patience{15};

  explicit Arrivals(Place& place) : place_{place} {}

  // Those that were written last, each read whole: the last written at the end, `count` at most,
  // unfinished ones among them. All that is there now counts as told, but for the damaged. Errors:
  // those of the place.
  [[nodiscard]] Result<std::vector<Checkpoint>> begin(std::size_t count, Time now);
  // What there is to tell, in the order of the names, each read whole. Errors: those of the place.
  [[nodiscard]] Result<std::vector<Checkpoint>> look(Time now);

 private:
  struct Known {
    std::string identity;  // of all its files
    Time since;            // when they were first seen so
    bool is_told = false;
    bool is_damaged = false;  // as it was looked into
  };
  [[nodiscard]] Result<std::vector<Checkpoint>> all();
  [[nodiscard]] Result<bool> read(Checkpoint& one);

  Place& place_;
  std::map<std::string, Known> known_;
};

}  // namespace runctl::checkpoint
