// NumPy's array files: a header that says type and shape, and the numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runctl::checkpoint {

struct NpyHeader {
  std::uint64_t size = 0;                   // of the header, where the numbers begin
  std::string type = {};                    // "<f8"; "" for a structured one
  std::optional<std::uint64_t> bytes = {};  // of the numbers; nothing for objects and structures
  bool is_scalar = false;
};

// Headers longer than that are refused. NumPy itself takes 10,000 characters of a file that it does
// not trust (numpy.lib.format.read_array).
inline constexpr std::size_t longest_npy_header = std::size_t{64} << 10U;

// `begin` is the file's beginning: longest_npy_header bytes of it, or all. Errors: corrupt,
// beyond(). Source: numpy/lib/format.py, versions 1.0 to 3.0.
[[nodiscard]] Result<NpyHeader> read_npy_header(std::string_view begin);

// The one number of a scalar whose bytes are `bytes`; nothing for what is none.
[[nodiscard]] std::optional<double> npy_number(const NpyHeader& header, std::string_view bytes);
// The text of a scalar of type U, ASCII only.
[[nodiscard]] std::optional<std::string> npy_text(const NpyHeader& header, std::string_view bytes);

}  // namespace runctl::checkpoint
