#include "cli/output.hpp"

#include <algorithm>
#include <array>
#include <istream>
#include <ostream>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::cli {
namespace {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::precondition:
      return "precondition";
    case Errc::denied:
      return "denied";
    case Errc::throttled:
      return "throttled";
    case Errc::unavailable:
      return "unavailable";
    case Errc::deadline_exceeded:
      return "deadline_exceeded";
    case Errc::cancelled:
      return "cancelled";
    case Errc::corrupt:
      return "corrupt";
    case Errc::internal:
      return "internal";
  }
  std::unreachable();
}

std::string_view name_of(Effect effect) {
  switch (effect) {
    case Effect::not_applied:
      return "not_applied";
    case Effect::unknown:
      return "unknown";
    case Effect::applied:
      return "applied";
  }
  std::unreachable();
}

boost::json::array lines(const std::vector<std::string>& texts) {
  boost::json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

// Messages inside the program are lower case; a line for people starts with a capital, unless it is
// a command's name.
std::string sentence(std::string text) {
  const bool is_command = text.starts_with("runctl ");
  if (!is_command && !text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  if (!text.empty() && !std::string_view{".!?:'"}.contains(text.back())) text += '.';
  return text;
}

}  // namespace

std::string ask(Context& context, std::string_view question) {
  context.err << question << std::flush;
  std::string line;
  std::getline(context.in, line);
  return std::string{trim(line)};
}

void present(Context& context, const Presentation& presentation) {
  switch (context.globals.output) {
    case OutputFormat::text:
      context.out << presentation.text;
      break;
    case OutputFormat::json:
      context.out << to_pretty_text(presentation.record) << '\n';
      break;
    case OutputFormat::id:
      if (!presentation.id.empty()) context.out << presentation.id << '\n';
      break;
  }
  context.out.flush();
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string key_values(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t widest = 0;
  for (const auto& [key, value] : pairs) {
    if (!value.empty()) widest = std::max(widest, columns_of(key));
  }
  std::string out;
  for (const auto& [key, value] : pairs) {
    if (!value.empty())
      out += fmt::format("{}:{}{}\n", key, std::string(widest - columns_of(key) + 2, ' '), value);
  }
  return out;
}

void note(Context& context, std::string_view text) {
  if (context.globals.quiet) return;
  context.err << text << '\n';
  context.err.flush();
}

std::string error_text(const Error& error) {
  constexpr std::string_view indent = "       ";  // as wide as "Error: "
  std::string out = "Error: " + sentence(error.message) + '\n';
  const auto add = [&](std::string_view line) { out += fmt::format("{}{}\n", indent, line); };
  if (!error.hint.empty()) add(error.hint);
  if (error.effect == Effect::unknown)
    add("Whether it took effect is not known; look before you repeat it.");
  for (const std::string& detail : error.details) add("  " + detail);
  if (!error.ways_out.empty()) add("Ways out:");
  for (const std::string& way : error.ways_out) add("  " + way);
  if (!error.section.empty()) {
    const std::string topic = error.section.substr(error.section.find('#') + 1);
    add(fmt::format("More: docs/{}  (runctl help {})", error.section, topic));
  }
  if (error.remote && error.remote->http_status != 0) {
    add(fmt::format("AWS: {} (HTTP {}), request id {}", error.remote->code,
                    error.remote->http_status,
                    error.remote->request_id.empty() ? "unknown" : error.remote->request_id));
  }
  for (const std::string& doing : error.context) add("while " + doing);
  return out;
}

boost::json::object error_record(const Error& error) {
  boost::json::object record;
  record["code"] = name_of(error.code);
  record["message"] = error.message;
  record["effect"] = name_of(error.effect);
  if (!error.hint.empty()) record["hint"] = error.hint;
  if (!error.details.empty()) record["details"] = lines(error.details);
  if (!error.ways_out.empty()) record["ways_out"] = lines(error.ways_out);
  if (!error.section.empty()) record["documentation"] = "docs/" + error.section;
  if (!error.context.empty()) record["context"] = lines(error.context);
  if (error.remote) {
    record["aws"] = {{"code", error.remote->code},
                     {"http_status", error.remote->http_status},
                     {"request_id", error.remote->request_id}};
  }
  return record;
}

void report(Context& context, const Error& error) {
  if (context.globals.output == OutputFormat::json) {
    context.out << to_pretty_text(boost::json::object{{"error", error_record(error)}}) << '\n';
    context.out.flush();
    return;
  }
  context.err << error_text(error);
  context.err.flush();
}

Result<void> ask_consent(Context& context, std::string_view question) {
  if (context.globals.yes) return {};
  if (context.interactive) {
    const std::string answer = lower(ask(context, fmt::format("{} [y/N] ", question)));
    if (answer == "y" || answer == "yes") return {};
    return fail(Errc::conflict, "not done: you did not say yes");
  }
  auto refused = fail(Errc::conflict, std::string{question});
  refused.error().hint = "There is no terminal to ask on: pass --yes to consent.";
  return refused;
}

Result<void> ask_for_name(Context& context, std::string_view question, std::string_view name,
                          std::string_view option, const std::optional<std::string>& given) {
  std::string answer = given.value_or("");
  if (!given && context.interactive) {
    answer = ask(context, fmt::format("{}\nType {} to go on: ", question, name));
  }
  if (answer == name) return {};
  auto refused = fail(Errc::conflict, std::string{question});
  refused.error().hint = fmt::format("--yes is not enough for this: pass {} {}", option, name);
  return refused;
}

}  // namespace runctl::cli
