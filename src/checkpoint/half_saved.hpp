// Folders that their writer did not come to finish: each file in them may be sound, and one is
// missing.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "checkpoint/survey.hpp"

namespace runctl::checkpoint {

// Fills in `lacks` of each numbered folder: a file of data, or a trainer_state.json, that every
// older folder of its series has, of those that are sound or complete by what was found of each
// alone. Numbers in files' names do not count ("N"), since they may be the folder's own. Only what
// a folder lacks at first is told: a training that leaves a file out from some step on has changed
// its ways by the next one. Pure.
void find_lacking(std::span<Checkpoint> checkpoints);

// Why the folder is not whole, "" for one of which that is not known: by its `lacks`; and of one of
// Hugging Face's Trainer, which writes in place, model first and trainer_state.json last, when that
// one is missing. `own_name` is the folder's. Pure. Source: transformers, Trainer._save_checkpoint.
[[nodiscard]] std::string why_half_saved(const Checkpoint& checkpoint, std::string_view own_name);

}  // namespace runctl::checkpoint
