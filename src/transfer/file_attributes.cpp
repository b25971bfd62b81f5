#include "transfer/file_attributes.hpp"

#include <charconv>
#include <chrono>
#include <string>
#include <system_error>

namespace runctl::transfer {
namespace {

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;

template <class T>
std::optional<T> number(std::string_view text, int base) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string_view> noted(const ObjectFacts& facts, std::string_view name) {
  for (const auto& [key, value] : facts.attributes.metadata) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::int64_t time_of(const ObjectFacts& facts, FileTime rule) {
  if (rule == FileTime::from_object) {
    const auto text = noted(facts, "mtime");
    if (const auto time = text ? parse_mtime(*text) : std::nullopt) return *time;
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             facts.last_modified.time_since_epoch())
      .count();
}

}  // namespace

std::optional<std::int64_t> parse_mtime(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto seconds = number<std::int64_t>(text.substr(0, dot), 10);
  // What 64 bits of nanoseconds hold: the years 1678 to 2261.
  if (!seconds || *seconds > 9'000'000'000 || *seconds < -9'000'000'000) return std::nullopt;
  std::string fraction{dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1)};
  if (dot != std::string_view::npos && fraction.empty()) return std::nullopt;
  fraction.resize(9, '0');
  const auto rest = number<std::uint32_t>(fraction, 10);
  if (!rest) return std::nullopt;
  return *seconds * nanoseconds_a_second + *rest;
}

std::optional<unsigned> parse_mode(std::string_view text) {
  const auto mode = number<unsigned>(text, text.starts_with('0') ? 8 : 10);
  if (!mode || *mode > 0177777) return std::nullopt;
  return *mode & 0777U;
}

Result<void> set_file_attributes(const RandomAccessFile& file, const ObjectFacts& facts,
                                 const Options& options) {
  if (options.keep_mode) {
    const auto text = noted(facts, "mode");
    if (const auto mode = text ? parse_mode(*text) : std::nullopt) RUNCTL_TRY(file.set_mode(*mode));
  }
  if (options.file_time == FileTime::now) return {};
  return file.set_modified(time_of(facts, options.file_time));
}

}  // namespace runctl::transfer
