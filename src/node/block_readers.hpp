// The programs that are sent to machines to read a block device: one for each processor.
#pragma once

#include <span>

#include "base/embedded_text.hpp"

namespace runctl::node {

// Named by the processor ("x86_64"); the texts are ELF files, made of reader/block_reader.cpp.
// Those that this build's compilers can make, so possibly none.
[[nodiscard]] std::span<const EmbeddedText> block_readers();

}  // namespace runctl::node
