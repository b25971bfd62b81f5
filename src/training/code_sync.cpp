#include "training/code_sync.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "node/place_code.hpp"
#include "node/put_file.hpp"
#include "training/code_archive.hpp"
#include "training/code_cache.hpp"
#include "training/code_limits.hpp"
#include "training/code_manifest.hpp"
#include "training/code_reader.hpp"
#include "training/stat_cache.hpp"

namespace runctl::training {
namespace {

using Indices = std::vector<std::size_t>;

// The wait for another sync, a download, unpacking and copying a hundred thousand files.
constexpr std::chrono::minutes placing_patience{15};
// With a bucket at hand, more than about five commands' worth goes through it.
constexpr std::size_t few_commands = std::size_t{200} << 10U;
// What is read faster than a machine answers.
constexpr std::uint64_t quickly_read = std::uint64_t{16} << 20U;
// A file takes its last block whole.
constexpr std::uint64_t block = 4'096;

std::filesystem::path folder_of(const SyncSettings& settings, const std::string& project) {
  return settings.cache / "code" / project;
}

Indices all_of(const CodeTree& tree) {
  Indices all(tree.entries.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

Indices unknown_of(const CodeTree& tree) {
  Indices unknown;
  for (std::size_t i = 0; i < tree.entries.size(); ++i) {
    if (tree.entries[i].hash.empty()) unknown.push_back(i);
  }
  return unknown;
}

std::string plural(std::size_t count) {
  return fmt::format("{} file{}", count, count == 1 ? "" : "s");
}

// One sync, or the plan of one.
class Sync {
 public:
  Sync(CodeTree& tree, const SyncSettings& settings, const std::stop_token& stop)
      : tree_{tree},
        settings_{settings},
        stop_{stop},
        project_{project_key(tree.root)},
        folder_{folder_of(settings, project_)},
        manifests_{folder_ / "manifests"} {}

  // Of the files that look as they did, from the cache. Whether all of them are known.
  bool recall() {
    recalled_ = recall_hashes(folder_ / "stat", tree_);
    return unknown_of(tree_).empty();
  }
  [[nodiscard]] bool knows_any() const { return recalled_ > 0; }

  // Reads what is not known.
  Result<void> read_unknown() {
    const Indices unknown = unknown_of(tree_);
    if (bytes_of(tree_, unknown) > settings_.limit)
      return above_limit(tree_, unknown, settings_.limit);
    RUNCTL_TRY(read_entries(tree_, unknown, {}, stop_));
    keep_stamps();
    return {};
  }

  Result<CodeDelivery> carry_out(const node::Machine& machine, const node::RunId& run);
  Result<CodePlan> plan(const node::Machine* machine);

 private:
  Result<node::CodeOnMachine> send(const node::Machine& machine, node::CodeWish wish,
                                   const node::CodeOnMachine& there, CodeDelivery& delivery);
  Result<void> deliver(const node::Machine& machine, const std::string& archive,
                       node::CodeWish& wish, CodeDelivery& delivery);
  void tell(const node::Machine& machine, const CodeDelivery& delivery) const;
  // An event of something that began then.
  void log(std::string_view name, std::chrono::steady_clock::time_point began,
           std::vector<LogField> fields) const;
  [[nodiscard]] Result<node::CodeOnMachine> place(const node::Machine& machine,
                                                  const node::CodeWish& wish) const;

  // A cache that cannot be written costs time, and no more.
  void keep_stamps() { warn(keep_hashes(folder_ / "stat", tree_, tree_.looked_at)); }
  void warn(const Result<void>& kept) {
    if (kept || warned_) return;
    warned_ = true;
    settings_.say(
        fmt::format("Note: what is known of the code cannot be kept for the next time: {}",
                    kept.error().message));
  }

  CodeTree& tree_;
  const SyncSettings& settings_;
  const std::stop_token& stop_;
  std::string project_;
  std::filesystem::path folder_;
  ManifestCache manifests_;
  std::size_t recalled_ = 0;
  bool warned_ = false;
  Indices sent_ = {};  // what the archive has
};

// To where the machine finds it.
Result<void> Sync::deliver(const node::Machine& machine, const std::string& archive,
                           node::CodeWish& wish, CodeDelivery& delivery) {
  const std::size_t limit = node::put_file_limit_of(machine.shell);
  const bool by_ssm = limit == node::put_file_limit;
  const bool by_bucket =
      settings_.bucket != nullptr && archive.size() > (by_ssm ? few_commands : limit);
  if (!by_bucket && archive.size() > limit)
    return above_command_limit(tree_, sent_, {.archive_bytes = archive.size(), .limit = limit});
  delivery.way = by_bucket ? CodeWay::s3 : CodeWay::commands;
  tell(machine, delivery);
  if (by_bucket) {
    const std::string key = fmt::format("runctl-code/{}/{}", project_, wish.archive);
    RUNCTL_TRY_LET(wish.url, settings_.bucket->put(key, archive));
    return {};
  }
  const auto put = node::put_file(machine, node::incoming_path(project_, wish.archive),
                                  node::FileMode::owner_only, archive, node::Packing::none);
  if (!put) return std::unexpected{put.error()};
  return {};
}

void Sync::tell(const node::Machine& machine, const CodeDelivery& delivery) const {
  const std::string way = delivery.way == CodeWay::s3
                              ? fmt::format(" through s3://{}", settings_.bucket->name())
                              : std::string{};
  settings_.say(fmt::format("Sending {} of {} ({}, {} compressed) to {}{}.", delivery.sent_files,
                            plural(tree_.entries.size()), bytes_in_words(delivery.sent_bytes),
                            bytes_in_words(delivery.archive_bytes), machine.instance, way));
}

void Sync::log(std::string_view name, std::chrono::steady_clock::time_point began,
               std::vector<LogField> fields) const {
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings_.clock.ticks() - began);
  fields.push_back({"elapsed_ms", std::to_string(took.count())});
  settings_.log.write({.level = LogLevel::info, .name = name, .fields = std::move(fields)});
}

Result<node::CodeOnMachine> Sync::place(const node::Machine& machine,
                                        const node::CodeWish& wish) const {
  const auto began = settings_.clock.ticks();
  const node::Machine patient{.shell = machine.shell,
                              .instance = machine.instance,
                              .timeout = placing_patience,
                              .stop = machine.stop};
  auto there = node::place_code(patient, wish);
  log("code.placed", began, {{"placed", there && there->placed ? "yes" : "no"}});
  return there;
}

Result<node::CodeOnMachine> Sync::send(const node::Machine& machine, node::CodeWish wish,
                                       const node::CodeOnMachine& there, CodeDelivery& delivery) {
  const auto base = manifests_.find(there.state);
  sent_ = base ? entries_not_in(*base, tree_.entries) : all_of(tree_);
  if (bytes_of(tree_, sent_) > settings_.limit) return above_limit(tree_, sent_, settings_.limit);
  const auto compression = there.has_zstd ? Compression::zstd : Compression::gzip;
  const auto began = settings_.clock.ticks();
  RUNCTL_TRY_LET(const CodeArchive archive,
                 pack(tree_, sent_, base ? *base : std::string{}, compression, stop_));
  wish.state = name_of_manifest(archive.manifest);
  keep_stamps();
  warn(manifests_.keep(wish.state, archive.manifest));
  // A file that was gone when its turn came is not among them any more.
  std::erase_if(sent_, [&](std::size_t index) { return index >= tree_.entries.size(); });
  delivery.sent_files = archive.files;
  delivery.sent_bytes = archive.content_bytes;
  delivery.archive_bytes = archive.bytes.size();
  log("code.packed", began,
      {{"files", std::to_string(delivery.sent_files)},
       {"bytes", std::to_string(delivery.sent_bytes)},
       {"archive_bytes", std::to_string(delivery.archive_bytes)}});
  wish.base = base ? there.state : "";
  wish.archive_hash = hex(sha256(archive.bytes));
  wish.compression = there.has_zstd ? "zstd" : "gzip";
  wish.archive = fmt::format("{}.tar.{}", wish.archive_hash, there.has_zstd ? "zst" : "gz");
  // The run's copy, and what is unpacked.
  wish.needed_bytes = tree_.bytes() + delivery.sent_bytes + delivery.archive_bytes +
                      (block * (tree_.entries.size() + sent_.size()));
  RUNCTL_TRY(deliver(machine, archive.bytes, wish, delivery));
  auto placed = place(machine, wish);
  if (!wish.url.empty()) {
    const std::string key = fmt::format("runctl-code/{}/{}", project_, wish.archive);
    const auto removed = settings_.bucket->remove(key);
    if (!removed) {
      settings_.say(fmt::format("Note: s3://{}/{} is left behind: {}", settings_.bucket->name(),
                                key, removed.error().message));
    }
  }
  return placed;
}

Result<CodeDelivery> Sync::carry_out(const node::Machine& machine, const node::RunId& run) {
  CodeDelivery delivery;
  const auto began = settings_.clock.ticks();
  // The first look at a large project reads each file once, when it is packed. Else what has
  // changed is known before the machine is asked, and most often it has all then.
  if (!recall() && (knows_any() || tree_.bytes() <= quickly_read)) RUNCTL_TRY(read_unknown());
  log("code.known", began, {{"recalled", std::to_string(recalled_)}});
  constexpr int attempts = 4;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    node::CodeWish wish{.project = project_, .run = &run};
    if (unknown_of(tree_).empty()) {
      const std::string manifest = manifest_of(tree_.entries);
      wish.state = name_of_manifest(manifest);
      warn(manifests_.keep(wish.state, manifest));
    }
    RUNCTL_TRY_LET(node::CodeOnMachine there, place(machine, wish));
    if (there.placed && delivery.way == CodeWay::none) {
      settings_.say(
          fmt::format("The machine has all {} of the code already.", plural(tree_.entries.size())));
    }
    if (!there.placed && !unknown_of(tree_).empty() && manifests_.find(there.state)) {
      RUNCTL_TRY(read_unknown());
      continue;  // it may have all of it
    }
    if (!there.placed) {
      RUNCTL_TRY_LET(there, send(machine, wish, there, delivery));
    }
    if (there.placed) {
      delivery.path = std::move(there.path);
      delivery.state = std::move(there.state);
      return delivery;
    }
  }
  auto busy = fail(Errc::conflict,
                   fmt::format("other syncs of {} to instance {} came between, time and again",
                               tree_.root.path.string(), machine.instance));
  busy.error().hint = "Try again when they are done.";
  return busy;
}

Result<CodePlan> Sync::plan(const node::Machine* machine) {
  recall();
  RUNCTL_TRY(read_unknown());
  std::optional<std::string> base = std::string{};
  CodePlan plan;
  if (machine != nullptr) {
    RUNCTL_TRY_LET(const auto there, node::place_code(*machine, {.project = project_}));
    base = there.state.empty() ? std::string{} : manifests_.find(there.state);
    plan.machine_known = base.has_value();
  }
  const Indices which =
      base && !base->empty() ? entries_not_in(*base, tree_.entries) : all_of(tree_);
  if (bytes_of(tree_, which) > settings_.limit) return above_limit(tree_, which, settings_.limit);
  for (const std::size_t index : which) plan.files.push_back(tree_.entries[index].path);
  plan.bytes = bytes_of(tree_, which);
  if (base)
    plan.removed = compare_manifests(*base, manifest_of(tree_.entries)).removed_files.size();
  return plan;
}

}  // namespace

std::string_view name_of(CodeWay way) {
  switch (way) {
    case CodeWay::none:
      return "none";
    case CodeWay::commands:
      return "commands";
    case CodeWay::s3:
      return "s3";
  }
  std::unreachable();
}

Result<CodeDelivery> sync_code(const node::Machine& machine, CodeTree& tree, const node::RunId& run,
                               const SyncSettings& settings) {
  return Sync{tree, settings, machine.stop}.carry_out(machine, run);
}

Result<CodePlan> plan_code(const node::Machine* machine, CodeTree& tree,
                           const SyncSettings& settings, const std::stop_token& stop) {
  return Sync{tree, settings, stop}.plan(machine);
}

}  // namespace runctl::training
