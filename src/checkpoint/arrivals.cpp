#include "checkpoint/arrivals.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace runctl::checkpoint {
namespace {

std::string identity_of(const Checkpoint& one) {
  std::string identity;
  for (const PlaceFile& file : one.files)
    identity += fmt::format("{}\n{}\n{}\n", file.name, file.size, file.identity);
  return identity;
}

bool is_damaged(const Checkpoint& one) { return one.finding.verdict == Verdict::damaged; }

}  // namespace

Result<std::vector<Checkpoint>> Arrivals::all() {
  RUNCTL_TRY_LET(auto files, place_.files());
  return group_files(std::move(files), place_.own_name(), place_.named_file()).checkpoints;
}

// Whether it could be read: nothing when it was changed or removed meanwhile, of which the next
// look sees what became.
Result<bool> Arrivals::read(Checkpoint& one) {
  const auto read = inspect(place_, one, Depth::contents);
  if (read) return true;
  if (read.error().code == Errc::not_found || read.error().code == Errc::precondition) return false;
  return std::unexpected{read.error()};
}

Result<std::vector<Checkpoint>> Arrivals::begin(std::size_t count, Time now) {
  RUNCTL_TRY_LET(auto there, all());
  known_.clear();
  for (const Checkpoint& one : there) {
    if (!one.is_unfinished)
      known_.emplace(one.name, Known{.identity = identity_of(one), .since = now, .is_told = true});
  }
  std::ranges::sort(there, [](const Checkpoint& a, const Checkpoint& b) {
    return std::tie(a.written, a.name) < std::tie(b.written, b.name);
  });
  const std::size_t first = there.size() > count ? there.size() - count : 0;
  std::vector<Checkpoint> last;
  for (Checkpoint& one : std::span{there}.subspan(first)) {
    RUNCTL_TRY_LET(const bool is_read, read(one));
    const auto known = known_.find(one.name);
    if (known != known_.end()) known->second.is_told = is_read && !is_damaged(one);
    if (is_read) last.push_back(std::move(one));
  }
  return last;
}

Result<std::vector<Checkpoint>> Arrivals::look(Time now) {
  RUNCTL_TRY_LET(auto there, all());
  std::vector<Checkpoint> news;
  std::map<std::string, Known> known;
  for (Checkpoint& one : there) {
    if (one.is_unfinished) continue;
    std::string identity = identity_of(one);
    const auto before = known_.find(one.name);
    if (before == known_.end() || before->second.identity != identity) {
      known.insert_or_assign(one.name, Known{.identity = std::move(identity), .since = now});
      continue;
    }
    Known& state = known.insert_or_assign(one.name, std::move(before->second)).first->second;
    if (state.is_told || (state.is_damaged && now - state.since < patience)) continue;
    RUNCTL_TRY_LET(const bool is_read, read(one));
    if (!is_read) continue;
    state.is_damaged = is_damaged(one);
    if (state.is_damaged && now - state.since < patience) continue;
    state.is_told = true;
    news.push_back(std::move(one));
  }
  known_ = std::move(known);
  return news;
}

}  // namespace runctl::checkpoint
