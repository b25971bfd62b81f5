// Randomness as a dependency, so that a seed repeats a run.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace runctl {

class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  Random(Random&&) = delete;
  Random& operator=(Random&&) = delete;
  virtual ~Random() = default;

  // 64 uniformly distributed bits.
  // Thread safety: may be called from several threads at once.
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

// The kernel's generator: ids and tokens made from it do not repeat between processes.
class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;
};

// The same sequence for the same seed.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_{seed} {}
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

// `digits` lower-case hex digits.
[[nodiscard]] std::string random_hex(Random& random, unsigned digits);

// A version 4 UUID: "8c5f8a0e-…".
[[nodiscard]] std::string random_uuid(Random& random);

}  // namespace runctl
