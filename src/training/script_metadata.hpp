// What a Python script says of itself in comments: inline script metadata (PEP 723).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::training {

// The TOML text between `# /// script` and `# ///`, without the comment signs; nothing for a script
// without one. Blocks of other types are passed over, and one that is not closed is none, as the
// specification has it (packaging.python.org, "Inline script metadata"). Errors: invalid_argument
// for a second block of this type. Pure.
[[nodiscard]] Result<std::optional<std::string>> script_metadata(std::string_view script);

}  // namespace runctl::training
