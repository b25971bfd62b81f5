// Copying what is in a file, as cheaply as the disk allows.
#pragma once

#include <string>

#include "base/result.hpp"

namespace runctl::emulator {

// Makes the empty file `to` equal to `from`: by sharing its blocks where the filesystem can (btrfs,
// XFS), which is also the one way that is a single moment's content, else extent by extent. Holes
// stay holes. Not durable: the caller syncs. `name` is that of `to` in messages. Errors: as
// fail_errno; a full disk is `internal`.
[[nodiscard]] Result<void> copy_content(int from, int to, const std::string& name);

}  // namespace runctl::emulator
