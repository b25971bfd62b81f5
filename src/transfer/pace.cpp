#include "transfer/pace.hpp"

#include <algorithm>

namespace runctl::transfer {
namespace {

constexpr unsigned least = 2;
// Few: on a near and fast road more only take each other's time, and on a long one it takes two
// seconds to have sixty.
constexpr unsigned start = 4;
constexpr double worth_more = 1.1;    // what a step up must bring
constexpr double worth_fewer = 0.98;  // what a step down may cost
constexpr int intervals_of_rest = 20;

unsigned step_up(unsigned limit, unsigned greatest) {
  return std::min(greatest, limit + std::max(1U, limit / 2));
}

unsigned step_down(unsigned limit) { return std::max(least, limit - std::max(1U, limit / 3)); }

}  // namespace

Pace::Pace(unsigned fixed, unsigned greatest)
    : fixed_{fixed},
      greatest_{std::max(greatest, 1U)},
      limit_{fixed > 0 ? fixed : std::min(start, greatest_)},
      best_limit_{limit_} {}

void Pace::settle(unsigned limit) {
  limit_ = limit;
  best_limit_ = limit;
  trying_ = Trying::nothing;
  resting_ = intervals_of_rest;
}

void Pace::rest() {
  if (--resting_ > 0) return;
  trying_ = next_;
  next_ = next_ == Trying::fewer ? Trying::more : Trying::fewer;
  limit_ =
      trying_ == Trying::fewer ? std::min(limit_, step_down(limit_)) : step_up(limit_, greatest_);
  if (limit_ == best_limit_) settle(limit_);
}

void Pace::observe(const Interval& interval) {
  if (fixed_ > 0) return;
  if (interval.throttled) {
    best_ = 0;
    settle(std::max(1U, limit_ / 2));
    return;
  }
  if (!interval.busy) return;  // the work was short, not the road
  const double work = interval.work_a_second;
  switch (trying_) {
    case Trying::more:
      if (work < best_ * worth_more) return settle(best_limit_);
      best_ = work;
      best_limit_ = limit_;
      limit_ = step_up(limit_, greatest_);
      if (limit_ == best_limit_) settle(limit_);
      return;
    case Trying::fewer:
      if (work < best_ * worth_fewer) return settle(best_limit_);
      best_ = std::max(best_, work);
      settle(limit_);
      return;
    case Trying::nothing:
      best_ = (best_ + work) / 2;  // the road of now, not of the beginning
      rest();
      return;
  }
}

}  // namespace runctl::transfer
