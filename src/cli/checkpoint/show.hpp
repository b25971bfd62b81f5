// Checkpoints as text and as records.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "checkpoint/place.hpp"
#include "checkpoint/survey.hpp"

namespace runctl::cli {

// name, path, format, state, why, epoch, step, metrics, items, bytes, files, modified, folder.
[[nodiscard]] boost::json::object record_of(const checkpoint::Checkpoint& one,
                                            const checkpoint::Place& place);

// "sound", "complete", "damaged", "unknown", "unfinished": stable.
[[nodiscard]] std::string_view state_of(const checkpoint::Checkpoint& one);

// "7", "2.5", "" for none.
[[nodiscard]] std::string epoch_text(const checkpoint::Checkpoint& one);
[[nodiscard]] std::string step_text(const checkpoint::Checkpoint& one);
// "loss=0.25 val_loss=0.5": the first `most`, losses before the rest.
[[nodiscard]] std::string metrics_text(const checkpoint::Checkpoint& one, std::size_t most);
// "2026-01-31T23:59:59Z".
[[nodiscard]] std::string written_text(const checkpoint::Checkpoint& one);

// Its name as it may be shown; of a place that is one checkpoint, the place's.
[[nodiscard]] std::string shown_name(const checkpoint::Checkpoint& one,
                                     const checkpoint::Place& place);
// The path of it, as a program takes it.
[[nodiscard]] std::string path_of(const checkpoint::Checkpoint& one,
                                  const checkpoint::Place& place);

// "there is no checkpoint in PATH": not_found.
[[nodiscard]] std::unexpected<Error> no_checkpoint(const checkpoint::Place& place);

}  // namespace runctl::cli
