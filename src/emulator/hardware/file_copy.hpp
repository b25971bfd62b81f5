// Copying what is in a file, as cheaply as the disk allows.
#pragma once

#include <string>

#include "base/result.hpp"

namespace runctl::emulator {

// Lets `to` have the blocks of `from`, as it is at this moment: false where the filesystem cannot.
[[nodiscard]] bool share_blocks(int from, int to);

// Makes the empty file `to` equal to `from`: by sharing its blocks where the filesystem can (btrfs,
// XFS), else extent by extent: then it is no single moment's content of a file that is written to
// meanwhile (moment_copy.hpp is for those). Holes
// stay holes. Not durable: the caller syncs. `name` is that of `to` in messages. Errors: as
// fail_errno; a full disk is `internal`.
[[nodiscard]] Result<void> copy_content(int from, int to, const std::string& name);

}  // namespace runctl::emulator
