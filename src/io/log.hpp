// Events with typed fields, for whoever watches the program work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace runctl {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

struct LogField {
  std::string_view name;
  std::string value;
};

// `name` is a stable event name ("aws.call"), never prose. A Secret cannot become a field value.
struct LogEvent {
  LogLevel level = LogLevel::info;
  std::string_view name;
  std::vector<LogField> fields = {};
};

class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;
  virtual ~Log() = default;

  // Whether an event of that level would be seen: lets callers skip building one.
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;

  // Thread safety: may be called from several threads at once.
  virtual void write(const LogEvent& event) = 0;
};

class NoLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(const LogEvent&) override {}
};

enum class LogFormat : std::uint8_t { text, json };

// Writes one line an event to standard error, in one write(2), so that lines of threads and
// processes do not mix.
class StderrLog final : public Log {
 public:
  StderrLog(LogLevel least, LogFormat format) : least_{least}, format_{format} {}
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= least_; }
  void write(const LogEvent& event) override;

 private:
  LogLevel least_;
  LogFormat format_;
};

}  // namespace runctl
