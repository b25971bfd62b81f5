// For tests: runs on this machine, and their ends.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "node/files_machine.hpp"
#include "node/run.hpp"
#include "node/stop_run.hpp"

namespace runctl::node::testing {

// A run's processes are known by its id all over the machine, and tests run beside each other.
inline RunId id(std::string_view text) {
  return RunId::parse(fmt::format("{}-{}", text, ::getpid())).value();
}

template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "";
  return result.error().remote ? result.error().remote->code : result.error().message;
}

// No run of a test outlives it, whatever it forked.
class RunFixture : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& report : list_runs(bed_.machine(), 20).value_or(std::vector<RunReport>{})) {
      (void)stop_run(bed_.machine(), report.id,
                     {.signal = "KILL", .kill = KillAll::yes, .wait = std::chrono::seconds{5}});
    }
  }
  RunSpec shell_run(std::string_view name, const std::string& script) {
    return {.id = id(name), .argv = {"sh", "-c", script}, .working_directory = bed_.root()};
  }
  // Starts it and waits until its log has `word`.
  RunReport started(const RunSpec& spec, std::string_view word) {
    auto report = start_run(bed_.machine(), spec);
    if (!report) throw std::runtime_error{report.error().message};
    if (!eventually(fmt::format("grep -q {} {}/log", word, report->directory))) {
      throw std::runtime_error{"the run does not get going"};
    }
    return *report;
  }
  RunProgress when_ended(const RunId& run, int patience_s = 60) {
    for (int tries = 0; tries < patience_s * 50; ++tries) {
      auto progress = run_status(bed_.machine(), run, 0);
      if (!progress || progress->run.state != RunState::running) return progress.value();
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    throw std::runtime_error{"the run does not end"};
  }

  FilesMachine bed_;
};

}  // namespace runctl::node::testing
