// HDF5, as far as its superblock says: version, end, root.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

inline constexpr std::string_view hdf5_signature{"\x89HDF\r\n\x1a\n", 8};

// Looks at the superblock (versions 0 to 3), at the checksum that newer ones have, at the mark of a
// writer that did not close the file, at the end of file that it names against the real one, and
// that an object's header stands where the root should be. What lies between is not looked at, so
// the best verdict is `complete`. Errors: corrupt, beyond(), those of the source. Source: "HDF5
// File Format Specification Version 3.0", II.A; the signature may stand behind a user block.
[[nodiscard]] Result<Finding> read_hdf5(Source& source);

// Whether the file begins as HDF5 does, with or without a user block. Errors: those of the source.
[[nodiscard]] Result<bool> is_hdf5(Source& source);

// Bob Jenkins's lookup3 (hashlittle, with 0 to begin with), HDF5's checksum of its own structures.
[[nodiscard]] std::uint32_t lookup3(std::string_view bytes);

}  // namespace runctl::checkpoint
