#include "checkpoint/torch_legacy.hpp"

#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "checkpoint/pickle.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::int64_t known_version = 1001;  // PROTOCOL_VERSION

// The numbers of one storage, at `at`, which is moved behind them.
Result<void> pass_storage(Source& source, const PickledStorage& storage, std::uint64_t& at) {
  RUNCTL_TRY_LET(const std::string bytes, read_exactly(source, at, 8));
  const std::uint64_t count = little_endian(bytes, 0, 8);
  if (count != storage.count) {
    return damaged(
        fmt::format("at byte {} it has {} numbers of a tensor of {}", at, count, storage.count));
  }
  at += 8;
  const std::uint64_t element = element_size(storage.type);
  if (element == 0) return beyond("the type of a tensor's numbers is not known");
  const std::uint64_t left = source.size() - at;
  if (count > left / element) {
    return damaged(
        fmt::format("it ends at byte {}, within a tensor that begins at byte {}: it was cut off",
                    source.size(), at));
  }
  at += count * element;
  return {};
}

Result<void> pass_storages(Source& source, const Pickle& object, const Pickle& keys) {
  std::unordered_map<std::string_view, const PickledStorage*> by_key;
  for (const PickledStorage& storage : object.storages) by_key.emplace(storage.key, &storage);
  if (keys.top().kind != PickleKind::sequence ||
      keys.top().items.size() != object.storages.size()) {
    return damaged("its list of tensors is not that of its pickle");
  }
  std::uint64_t at = keys.end;
  for (const std::uint32_t item : keys.top().items) {
    const auto found = by_key.find(keys.values[item].text);
    if (found == by_key.end()) return damaged("its list of tensors is not that of its pickle");
    RUNCTL_TRY(pass_storage(source, *found->second, at));
  }
  if (at != source.size())
    return damaged(fmt::format("{} bytes follow its last tensor", source.size() - at));
  return {};
}

}  // namespace

Result<Finding> read_torch_legacy(Source& source) {
  RUNCTL_TRY_LET(const Pickle magic, read_pickle(source));
  RUNCTL_TRY_LET(const Pickle version, read_pickle(source, magic.end));
  if (version.top().kind != PickleKind::integer || version.top().integer != known_version) {
    return beyond("its version is not known");
  }
  RUNCTL_TRY_LET(const Pickle machine, read_pickle(source, version.end));
  RUNCTL_TRY_LET(const Pickle object, read_pickle(source, machine.end));
  Finding finding{
      .format = Format::torch_legacy,
      .verdict = Verdict::complete,
      .why = "every tensor is there to the last byte; the format has no checksum of them",
      .facts = facts_of(object),
      .items = object.storages.size()};
  RUNCTL_TRY_LET(const Pickle keys, read_pickle(source, object.end));
  RUNCTL_TRY(pass_storages(source, object, keys));
  return finding;
}

Result<Finding> read_pickles(Source& source) {
  Finding finding{.format = Format::pickle,
                  .verdict = Verdict::complete,
                  .why = "it is a pickle to its last byte; the format has no checksum"};
  std::uint64_t pickles = 0;
  for (std::uint64_t at = 0; at < source.size();) {
    // Each costs some time however short it is.
    constexpr std::uint64_t most_pickles = 100'000;
    if (++pickles > most_pickles) return beyond("it has too many pickles");
    RUNCTL_TRY_LET(const Pickle pickle, read_pickle(source, at));
    fill_in(finding.facts, facts_of(pickle));
    finding.items += pickle.storages.size();
    at = pickle.end;
  }
  return finding;
}

}  // namespace runctl::checkpoint
