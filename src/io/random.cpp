#include "io/random.hpp"

#include <stdexcept>
#include <sys/random.h>

#include <fmt/format.h>

namespace runctl {

std::uint64_t SystemRandom::next() {
  std::uint64_t bits = 0;
  // getrandom(2) of up to 256 bytes is never cut short once the pool is initialised.
  if (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
    throw std::runtime_error{"getrandom(2) gave no bytes"};
  }
  return bits;
}

std::uint64_t SeededRandom::next() {
  const std::lock_guard lock{mutex_};
  return engine_();
}

std::string random_hex(Random& random, unsigned digits) {
  std::string text;
  while (text.size() < digits) text += fmt::format("{:016x}", random.next());
  text.resize(digits);
  return text;
}

std::string random_uuid(Random& random) {
  std::string text = random_hex(random, 32);
  text[12] = '4';  // version
  constexpr std::string_view variants = "89ab";
  text[16] = variants[random.next() % variants.size()];
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace runctl
