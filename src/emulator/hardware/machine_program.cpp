// What the tests execute again in place of runctl.
#include <cstddef>
#include <span>

#include "emulator/hardware/machine_main.hpp"

int main(int argc, char** argv) {
  runctl::emulator::machine_main({argv, static_cast<std::size_t>(argc)});
}
