// What the files of a project hashed to when they were last read, so that only those that look
// otherwise are read again.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "base/time_text.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

// Gives the entries whose stamps are as they were the hashes that they had. A cache that is not
// there, or cannot be understood, knows nothing. How many it knew.
std::size_t recall_hashes(const std::filesystem::path& file, CodeTree& tree);

// Writes down the hashes that are known, unless the file says them already. A file that was changed
// so shortly before `looked_at`, when its stamp was taken, that another change could leave the same
// stamp is not written down: git's rule for its index ("racy git"). Two seconds are the coarsest
// clock of a file system (FAT's). Errors: as write_file_atomically.
[[nodiscard]] Result<void> keep_hashes(const std::filesystem::path& file, const CodeTree& tree,
                                       Timestamp looked_at);

}  // namespace runctl::training
