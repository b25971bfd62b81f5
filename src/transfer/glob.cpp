#include "transfer/glob.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace runctl::transfer {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : '\0';
}

bool in_range(unsigned byte, unsigned first, unsigned last) {
  return byte >= first && byte <= last;
}

bool is_punctuation(unsigned byte) {
  return in_range(byte, 33, 47) || in_range(byte, 58, 64) || in_range(byte, 91, 96) ||
         in_range(byte, 123, 126);
}

// Of the C locale, as git has them.
std::optional<std::bitset<256>> named_class(std::string_view name) {
  using Test = bool (*)(unsigned);
  static constexpr Test upper = [](unsigned b) { return in_range(b, 'A', 'Z'); };
  static constexpr Test lower = [](unsigned b) { return in_range(b, 'a', 'z'); };
  static constexpr Test digit = [](unsigned b) { return in_range(b, '0', '9'); };
  static constexpr Test alpha = [](unsigned b) { return upper(b) || lower(b); };
  static constexpr std::array<std::pair<std::string_view, Test>, 12> classes{{
      {"upper", upper},
      {"lower", lower},
      {"digit", digit},
      {"alpha", alpha},
      {"alnum", [](unsigned b) { return alpha(b) || digit(b); }},
      {"blank", [](unsigned b) { return b == ' ' || b == '\t'; }},
      {"cntrl", [](unsigned b) { return b < 32 || b == 127; }},
      {"graph", [](unsigned b) { return in_range(b, 33, 126); }},
      {"print", [](unsigned b) { return in_range(b, 32, 126); }},
      {"punct", is_punctuation},
      {"space", [](unsigned b) { return b == ' ' || b == '\t' || b == '\n' || b == '\r'; }},
      {"xdigit",
       [](unsigned b) { return digit(b) || in_range(b, 'a', 'f') || in_range(b, 'A', 'F'); }},
  }};
  for (const auto& [known, test] : classes) {
    if (known != name) continue;
    std::bitset<256> bytes;
    for (unsigned byte = 0; byte < 256; ++byte) bytes.set(byte, test(byte));
    return bytes;
  }
  return std::nullopt;
}

}  // namespace

Glob::Glob(std::string_view pattern) {
  constexpr std::string_view special = "*?[\\";
  const std::string_view rest = pattern.starts_with('*') ? pattern.substr(1) : pattern;
  if (rest.find_first_of(special) == std::string_view::npos) {
    shape_ = rest.size() == pattern.size() ? Shape::plain : Shape::suffix;
    text_ = rest;
    return;
  }
  for (std::size_t at = 0; at < pattern.size() && !never_;) {
    switch (pattern[at]) {
      case '*':
        never_ = !read_stars(pattern, at);
        break;
      case '[':
        never_ = !read_set(pattern, ++at);
        break;
      case '?': {
        Step step{.kind = Kind::set};
        step.bytes.set().reset('/');
        steps_.push_back(step);
        ++at;
        break;
      }
      case '\\':
        never_ = at + 1 == pattern.size();
        if (!never_) add_byte(byte_at(pattern, at + 1));
        at += 2;
        break;
      default:
        add_byte(byte_at(pattern, at));
        ++at;
    }
  }
}

void Glob::add_byte(unsigned char byte) {
  Step step{.kind = Kind::set};
  step.bytes.set(byte);
  steps_.push_back(step);
}

bool Glob::read_stars(std::string_view pattern, std::size_t& at) {
  const std::size_t begin = at;
  while (byte_at(pattern, at) == '*') ++at;
  // Git compares what is before the first of these by itself, and its matcher then takes what
  // follows for the beginning: "foo**/a" is "foo" and "**/a" (dir.c, match_pathname).
  const bool behind_literal =
      pattern.substr(0, begin).find_first_of("*?[\\") == std::string_view::npos;
  const bool at_start = behind_literal || pattern[begin - 1] == '/';
  const std::string_view rest = pattern.substr(at);
  const bool escaped_slash = rest.starts_with("\\/");
  const bool at_end = rest.empty() || rest.starts_with('/') || escaped_slash;
  if (at - begin < 2 || !at_start || !at_end) {
    steps_.push_back({.kind = Kind::star});
    return true;
  }
  // Before an escaped slash git does not try "no directory at all".
  if (rest.starts_with('/')) {
    steps_.push_back({.kind = Kind::no_directories});
    steps_.push_back({.kind = Kind::directories});
    ++at;
  } else {
    steps_.push_back({.kind = Kind::any});
  }
  return true;
}

bool Glob::read_set(std::string_view pattern, std::size_t& at) {
  Step step{.kind = Kind::set};
  const bool negated = byte_at(pattern, at) == '!' || byte_at(pattern, at) == '^';
  if (negated) ++at;
  unsigned char before = 0;  // what a range may begin with; 0: nothing
  for (bool first = true; first || byte_at(pattern, at) != ']'; first = false) {
    if (at >= pattern.size()) return false;
    unsigned char byte = byte_at(pattern, at++);
    const unsigned char next = byte_at(pattern, at);
    if (byte == '\\') {
      if (at >= pattern.size()) return false;
      byte = byte_at(pattern, at++);
      step.bytes.set(byte);
    } else if (byte == '-' && before != 0 && next != '\0' && next != ']') {
      unsigned char last = byte_at(pattern, at++);
      if (last == '\\') {
        if (at >= pattern.size()) return false;
        last = byte_at(pattern, at++);
      }
      for (unsigned b = before; b <= last; ++b) step.bytes.set(b);
      byte = 0;
    } else if (byte == '[' && next == ':') {
      const std::size_t close = pattern.find(']', at + 1);
      if (close == std::string_view::npos) return false;
      if (close < at + 2 || pattern[close - 1] != ':') {
        step.bytes.set('[');  // no class: a set that has a '[' and a ':'
      } else {
        const auto named = named_class(pattern.substr(at + 1, close - at - 2));
        if (!named) return false;
        step.bytes |= *named;
        at = close + 1;
        byte = 0;
      }
    } else {
      step.bytes.set(byte);
    }
    before = byte;
  }
  if (at >= pattern.size()) return false;
  ++at;
  if (negated) step.bytes.flip();
  step.bytes.reset('/');
  steps_.push_back(step);
  return true;
}

// From each state to those that it reaches without a byte; `before` is the byte before this place,
// '/' at the beginning.
void Glob::pass_empty(States& states, unsigned char before) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!states[i]) continue;
    const Kind kind = steps_[i].kind;
    if (kind == Kind::star || kind == Kind::any) states[i + 1] = true;
    if (kind == Kind::no_directories) states[i + 1] = states[i + 2] = true;
    if (kind == Kind::directories && before == '/') states[i + 1] = true;
  }
}

bool Glob::matches(std::string_view text) const {
  if (shape_ == Shape::plain) return text == text_;
  if (shape_ == Shape::suffix) {
    return text.ends_with(text_) && !text.substr(0, text.size() - text_.size()).contains('/');
  }
  if (never_) return false;
  States now(steps_.size() + 1);
  States next(steps_.size() + 1);
  now[0] = true;
  pass_empty(now, '/');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    next.assign(steps_.size() + 1, false);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!now[i]) continue;
      const Step& step = steps_[i];
      if (step.kind == Kind::set) {
        if (step.bytes.test(byte)) next[i + 1] = true;
      } else if (step.kind != Kind::no_directories && (step.kind != Kind::star || byte != '/')) {
        next[i] = true;
      }
    }
    pass_empty(next, byte);
    std::swap(now, next);
  }
  return now[steps_.size()];
}

}  // namespace runctl::transfer
