// For tests: the program that reads a block device, as it is and made to misbehave.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace runctl::node::testing {

// The one that this machine can run; nothing when this build makes none for it.
std::optional<std::string> own_reader();

// Machine code of this processor.
extern const std::string_view leaves_with_3;
extern const std::string_view illegal_instruction;
extern const std::string_view never_ends;

// own_reader() with other code at its start.
std::string reader_that(std::string_view code);

}  // namespace runctl::node::testing
