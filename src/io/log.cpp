#include "io/log.hpp"

#include <algorithm>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace runctl {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::off:
      return "off";
  }
  std::unreachable();
}

std::string text_line(const LogEvent& event) {
  std::string line{name_of(event.level)};
  line += ' ';
  line += event.name;
  for (const LogField& field : event.fields) {
    line += ' ';
    line += field.name;
    line += '=';
    const bool plain = !field.value.empty() && std::ranges::none_of(field.value, [](char c) {
      return c == '"' || c == '=' || c == '\x7f' || (c >= '\0' && c <= ' ');
    });
    line += plain ? field.value : boost::json::serialize(boost::json::string{field.value});
  }
  return line;
}

std::string json_line(const LogEvent& event) {
  boost::json::object record;
  record["level"] = name_of(event.level);
  record["event"] = event.name;
  for (const LogField& field : event.fields) record[field.name] = field.value;
  return boost::json::serialize(record);
}

}  // namespace

void StderrLog::write(const LogEvent& event) {
  if (!enabled(event.level)) return;
  const std::string line =
      (format_ == LogFormat::json ? json_line(event) : text_line(event)) + '\n';
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace runctl
