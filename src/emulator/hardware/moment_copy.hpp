// Copies of images that machines may be writing to.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "io/clock.hpp"

namespace runctl::emulator {

// Keeps whoever writes to the file from it until what it returns is let go.
using HoldStill = std::function<std::shared_ptr<void>()>;

// Makes the empty file `to` equal to what `from` holds at one moment during the call: a write that
// had ended before is in it, and none is without those that had ended before it began. Blocks are
// shared where the filesystem can (btrfs, XFS); elsewhere it is copied until nothing was written
// meanwhile, after a few attempts with `hold_still`. Of writes that were under way at the moment,
// parts may be in it, as after a power cut. Not durable: the caller syncs. `name` is that of `to`
// in messages.
// Errors: as fail_errno; deadline_exceeded when it is written to all the time.
[[nodiscard]] Result<void> copy_moment(int from, int to, const std::string& name, Clock& clock,
                                       const HoldStill& hold_still);

}  // namespace runctl::emulator
