// What brings a machine's copy of a project from one state to another, in one compressed archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/archive_writer.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

struct CodeArchive {
  std::string bytes = {};
  std::string manifest = {};        // of the whole tree as it is then
  std::uint64_t files = 0;          // that are in it, links among them
  std::uint64_t content_bytes = 0;  // of those
};

// The entries that `which` names, below files/, and what node/scripts/place_code.sh needs beside
// them: minus and plus, by which the manifest `base` ("" for a machine that has nothing) becomes
// the new one, and the lists of what is to be removed. The entries get their hashes; all others
// must have theirs. Errors: those of read_entries and ArchiveWriter.
[[nodiscard]] Result<CodeArchive> pack(CodeTree& tree, const std::vector<std::size_t>& which,
                                       std::string_view base, Compression compression,
                                       const std::stop_token& stop);

}  // namespace runctl::training
