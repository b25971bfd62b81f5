// Every request, state change and hardware failure, in the order in which they happened.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

#include "base/result.hpp"

namespace runctl::emulator {

class EventLog {
 public:
  EventLog() = default;
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  EventLog(EventLog&&) = delete;
  EventLog& operator=(EventLog&&) = delete;
  virtual ~EventLog() = default;

  // Thread safety: may be called from several threads at once.
  virtual void write(const boost::json::object& event) = 0;
};

class NoEventLog final : public EventLog {
 public:
  void write(const boost::json::object&) override {}
};

// One line an event, appended in one write(2). A line that cannot be written is lost: a full disk
// must not stop the emulator from answering.
[[nodiscard]] Result<std::unique_ptr<EventLog>> open_event_log(const std::filesystem::path& path);

}  // namespace runctl::emulator
