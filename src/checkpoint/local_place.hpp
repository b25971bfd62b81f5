// A directory of checkpoints on this machine, or one file.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "checkpoint/place.hpp"

namespace runctl::checkpoint {

// What a folder is called while it is removed; names that begin so are nobody's checkpoint.
inline constexpr std::string_view removing_prefix = ".runctl-removing-";

// Links below `path` are followed, as Hugging Face's cache needs it, but in no circle; what a link
// names is never removed. Errors: as fail_errno; cancelled once `stop` is requested.
[[nodiscard]] Result<std::unique_ptr<Place>> open_local_place(const std::filesystem::path& path,
                                                              const std::stop_token& stop = {});

}  // namespace runctl::checkpoint
