// NumPy's arrays.
#include <cstddef>
#include <cstdint>

#include "checkpoint_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return runctl::fuzz_checkpoint(data, size, "weights.npy");
}
