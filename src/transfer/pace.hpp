// How many requests run at once: found by trying, from what is measured.
#pragma once

#include <cstdint>

namespace runctl::transfer {

// What was done in one interval, and how.
struct Interval {
  double work_a_second = 0;  // bytes, and an object's own cost in bytes
  bool throttled = false;    // S3 asked to slow down
  bool busy = true;          // all that were allowed had work
};

// Climbs the hill: half as many more as long as each step brings a tenth more work a second;
// else back to the best, and rests there. After a rest it tries once with fewer, then once with
// more, since the road may have changed. When S3 asks to slow down, half. A value: no clock, no
// lock.
class Pace {
 public:
  // `fixed` > 0: always that many.
  Pace(unsigned fixed, unsigned greatest);

  [[nodiscard]] unsigned limit() const { return limit_; }
  void observe(const Interval& interval);

 private:
  enum class Trying : std::uint8_t { more, fewer, nothing };

  void settle(unsigned limit);
  void rest();

  unsigned fixed_;
  unsigned greatest_;
  unsigned limit_;
  unsigned best_limit_;
  double best_ = 0;
  Trying trying_ = Trying::more;
  Trying next_ = Trying::fewer;
  int resting_ = 0;
};

}  // namespace runctl::transfer
