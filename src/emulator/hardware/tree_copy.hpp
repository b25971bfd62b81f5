// Directories copied and removed whole.
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace runctl::emulator {

// Makes `to`, which must not exist, equal to the directory `from`: contents, modes, times, links of
// both kinds, and owners where we have the right. Sockets are left out: nobody listens behind a
// copy. Durable on return. After an error part of it may be there. Errors: as fail_errno.
[[nodiscard]] Result<void> copy_tree(const std::filesystem::path& from,
                                     const std::filesystem::path& to);

// Removing what is not there succeeds; what is in a directory without write permission goes too.
// Errors: as fail_errno.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

}  // namespace runctl::emulator
