#include "cli/ebs/options.hpp"

#include <charconv>
#include <ostream>
#include <system_error>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/output.hpp"

namespace runctl::cli {

Result<std::optional<std::int64_t>> parse_count(const Arguments& arguments, std::string_view name) {
  const auto text = arguments.get(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || rest != end || number < 1) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes a whole number above zero, not '{}'", name, *text));
  }
  return number;
}

Result<std::uint64_t> parse_number(std::string_view name, std::string_view text,
                                   std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number > most) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes a number from 0 to {}, not '{}'", name, most, text));
  }
  return number;
}

Result<volume::Tags> parse_tags(const Arguments& arguments) {
  volume::Tags tags;
  for (const std::string& text : arguments.all("--tag")) {
    const auto equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (equals == std::string::npos || key.empty()) {
      return fail(Errc::invalid_argument, fmt::format("--tag takes KEY=VALUE, not '{}'", text));
    }
    if (key.starts_with("aws:") || key.starts_with("runctl:")) {
      return fail(Errc::invalid_argument, fmt::format("the tag '{}' cannot be set by hand", key));
    }
    tags[key] = text.substr(equals + 1);
  }
  if (const auto name = arguments.get("--name")) tags[std::string{volume::tag::name}] = *name;
  return tags;
}

Result<std::string> parse_mount_point(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  bool bad = !text.starts_with('/') || text == "/";
  for (const std::string_view part : split(text, '/')) bad = bad || part == ".." || part == ".";
  for (const char c : text) bad = bad || (c >= 0 && c < ' ');
  if (bad) {
    return fail(Errc::invalid_argument,
                fmt::format("a mount point is an absolute path such as /data, not '{}'", text));
  }
  return std::string{text};
}

ExitCode show_plan(Context& context, const std::vector<std::string>& steps) {
  std::string text = "It would:\n";
  boost::json::array plan;
  for (const std::string& step : steps) {
    text += fmt::format("  - {}\n", step);
    plan.emplace_back(step);
  }
  present(context,
          {.text = std::move(text), .record = {{"dry_run", true}, {"plan", std::move(plan)}}});
  return ExitCode::ok;
}

}  // namespace runctl::cli
