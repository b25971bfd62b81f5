// What the commands' options have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/context.hpp"
#include "volume/facts.hpp"

namespace runctl::cli {

// Errors: invalid_argument for what is not a whole number above zero.
[[nodiscard]] Result<std::optional<std::int64_t>> parse_count(const Arguments& arguments,
                                                              std::string_view name);

// Errors: invalid_argument for what is not a whole number from 0 to `most`; `name` is in the
// message.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view name, std::string_view text,
                                                 std::uint64_t most);

// --tag K=V … and --name. Errors: invalid_argument for a tag without '=', or in runctl's or AWS's
// own names.
[[nodiscard]] Result<volume::Tags> parse_tags(const Arguments& arguments);

// An absolute path that may serve as a mount point. Errors: invalid_argument.
[[nodiscard]] Result<std::string> parse_mount_point(std::string_view text);

// Prints the steps that --dry-run asked for.
[[nodiscard]] ExitCode show_plan(Context& context, const std::vector<std::string>& steps);

}  // namespace runctl::cli
