// The emulator as the command line sees it, over the real one.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "cli/emulator_control.hpp"
#include "io/clock.hpp"
#include "io/environment.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/process.hpp"
#include "io/random.hpp"

namespace runctl {

class EmbeddedEmulator final : public cli::EmulatorControl {
 public:
  EmbeddedEmulator(Clock& clock, HttpTransport& http, Random& random, Log& log,
                   const Environment& environment, std::stop_token stop)
      : clock_{clock},
        http_{http},
        random_{random},
        log_{log},
        environment_{environment},
        stop_{std::move(stop)} {}

  [[nodiscard]] Result<std::optional<cli::EmulatorStatus>> status(
      const std::string& state) override;
  [[nodiscard]] Result<cli::EmulatorStatus> start(const cli::EmulatorOptions& options) override;
  [[nodiscard]] Result<bool> stop(const std::string& state) override;
  [[nodiscard]] Result<bool> reset(const std::string& state) override;
  [[nodiscard]] std::string event_log(const std::string& state) override;
  [[nodiscard]] Result<std::vector<std::string>> add_fault(
      const std::string& state, const std::vector<std::string>& words) override;
  [[nodiscard]] Result<std::vector<std::string>> clear_faults(const std::string& state,
                                                              const std::string& target) override;
  [[nodiscard]] Result<std::vector<std::string>> list_faults(const std::string& state) override;
  [[nodiscard]] Result<void> run(const cli::EmulatorOptions& options,
                                 const std::stop_token& stop) override;

 private:
  // Puts away what a crash has left, and says so in the log.
  void clean_up(const std::string& state);

  Clock& clock_;
  HttpTransport& http_;
  Random& random_;
  Log& log_;
  RealProcess process_;
  const Environment& environment_;
  std::stop_token stop_;
};

}  // namespace runctl
