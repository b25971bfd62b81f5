// Bringing a project's code to a machine: only what the machine does not have, whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/log.hpp"
#include "node/run.hpp"
#include "node/script.hpp"
#include "training/code_transport.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

// What is sent at once, before compression. The archive is made in memory; and the code of the
// largest projects of the field (PyTorch's own: 150 MB) is below it: what is above is data.
inline constexpr std::uint64_t code_limit = std::uint64_t{256} << 20U;

struct SyncSettings {
  Clock& clock;
  Log& log;
  std::filesystem::path cache;  // a folder of the user's
  std::uint64_t limit = code_limit;
  CodeBucket* bucket = nullptr;
  // Told, in a line for people, what is being done; never null.
  std::function<void(std::string_view)> say = [](std::string_view) {};
};

enum class CodeWay : std::uint8_t { none, commands, s3 };
// "none", "commands", "s3": stable names.
[[nodiscard]] std::string_view name_of(CodeWay way);

struct CodeDelivery {
  std::string path = {};         // the run's own copy, on the machine
  std::string state = {};        // what names the code as it is there
  std::uint64_t sent_files = 0;  // that the machine did not have
  std::uint64_t sent_bytes = 0;  // of those
  std::uint64_t archive_bytes = 0;
  CodeWay way = CodeWay::none;  // none: it had everything
};

// Brings the tree to the machine, and gives `run` a copy of its own, which no later sync changes.
// What was sent to any machine before is known by a cache here, and what a machine has by the hash
// of its manifest: an unchanged tree takes one command, and files that look as they did are not
// read. May be repeated. Errors: invalid_argument above the limit, or above what can be sent as
// commands without a bucket, with the largest files; conflict when other syncs of the project come
// between time and again; those of read_entries, place_code, put_file and the bucket.
[[nodiscard]] Result<CodeDelivery> sync_code(const node::Machine& machine, CodeTree& tree,
                                             const node::RunId& run, const SyncSettings& settings);

// What sync_code would send.
struct CodePlan {
  std::vector<std::string> files = {};  // that would be sent, in order
  std::uint64_t bytes = 0;              // of those
  std::uint64_t removed = 0;            // that the machine has and would lose
  bool machine_known = false;  // else the machine was not asked, or has what is not known here
};

// Changes nothing; `machine` is nothing where it cannot be asked. Reads what look new. Errors: as
// sync_code, as far as it would get.
[[nodiscard]] Result<CodePlan> plan_code(const node::Machine* machine, CodeTree& tree,
                                         const SyncSettings& settings, const std::stop_token& stop);

}  // namespace runctl::training
