// Runs a fuzz target over the files it is given, so a corpus is a plain ctest under any compiler.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const auto paths = std::span{argv, static_cast<std::size_t>(argc)}.subspan(1);
  for (const char* path : paths) {
    std::ifstream in{path, std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::cout << paths.size() << " inputs\n";
  return paths.empty() ? EXIT_FAILURE : EXIT_SUCCESS;  // a corpus that is not found proves nothing
}
