// Reading many files of a project, several at a time, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "training/code_tree.hpp"

namespace runctl::training {

// Where the content of files goes while they are read; any of both may be empty.
struct ContentSink {
  // Told of each before its content, with the size that it will have.
  std::function<Result<void>(const CodeEntry& entry, std::uint64_t size)> begin = {};
  std::function<Result<void>(std::span<const std::byte> bytes)> write = {};
};

// Reads the files of `tree.entries` that `which` names, in that order, and gives each the hash and
// the stamp of the very bytes that were read, so that what is sent has the hash that is said of it
// even if the file changes meanwhile. (A link has no content, and is passed over but for `begin`.)
// A file that is gone by now is taken out of the tree after all others were read. Small files are
// read ahead by two threads, 128 of at most half a megabyte. Errors: denied for one that may not be
// read; precondition for a large one that is cut short while it is read; cancelled; those of the
// sink.
[[nodiscard]] Result<void> read_entries(CodeTree& tree, const std::vector<std::size_t>& which,
                                        const ContentSink& sink, const std::stop_token& stop);

}  // namespace runctl::training
