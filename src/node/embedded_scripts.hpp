// The texts of scripts/, compiled into the program.
#pragma once

#include <span>

#include "base/embedded_text.hpp"

namespace runctl::node {

[[nodiscard]] std::span<const EmbeddedText> embedded_scripts();

}  // namespace runctl::node
