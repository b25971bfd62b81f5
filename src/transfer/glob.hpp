// One pattern of gitignore's kind, matched in time that is bounded by pattern times text.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace runctl::transfer {

// '?', '*' and [sets] match no '/'; "**" between slashes, or between one and an end, matches any
// number of directories. Bytes, not characters, as git does it. A pattern that is malformed (an
// open
// '[', a '\' at the end) matches nothing.
// Source: git's wildmatch.c with WM_PATHNAME, and wildmatch's tests. Not its algorithm: that one
// goes back, and "*a*a*a*a*b" can take it years.
class Glob {
 public:
  explicit Glob(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  enum class Kind : std::uint8_t {
    set,             // one byte out of `bytes`
    star,            // any bytes but '/'
    any,             // any bytes
    no_directories,  // nothing, in place of itself and the next, which is `directories`
    directories,     // any bytes with a '/' behind them
  };
  struct Step {
    Kind kind;
    std::bitset<256> bytes = {};
  };
  using States = std::vector<bool>;

  // Reads what stands behind a '['. False when it is malformed.
  bool read_set(std::string_view pattern, std::size_t& at);
  bool read_stars(std::string_view pattern, std::size_t& at);
  void add_byte(unsigned char byte);
  void pass_empty(States& states, unsigned char before) const;

  std::vector<Step> steps_;
  bool never_ = false;
  // Most patterns people write are a text, or a '*' before one: those are compared as such.
  enum class Shape : std::uint8_t { plain, suffix, steps } shape_ = Shape::steps;
  std::string text_ = {};
};

}  // namespace runctl::transfer
