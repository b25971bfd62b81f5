// The terminal that a stream of ours may be.
#pragma once

namespace runctl {

// Its columns now; 0 when the descriptor is no terminal, or one that does not tell.
[[nodiscard]] unsigned terminal_width(int descriptor);

}  // namespace runctl
