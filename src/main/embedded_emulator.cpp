#include "main/embedded_emulator.hpp"

#include <iostream>
#include <utility>

#include <fmt/format.h>

#include "cli/version.hpp"
#include "emulator/daemon.hpp"
#include "emulator/hardware/make_hardware.hpp"

namespace runctl {
namespace {

constexpr unsigned default_port = 4599;

emulator::DaemonOptions to_daemon(const cli::EmulatorOptions& options) {
  return {.state = options.state,
          .port = static_cast<std::uint16_t>(options.port.value_or(default_port)),
          .pace = options.pace,
          .hardware = options.hardware,
          .seed = options.seed,
          .faults = options.faults};
}

cli::EmulatorStatus to_status(const emulator::EmulatorInfo& info, const std::string& state) {
  return {.endpoint = info.endpoint,
          .pid = info.pid,
          .hardware = info.hardware,
          .hardware_note = info.hardware_note,
          .state = state};
}

// `auto` is block where that works, else files, with the reason.
Result<emulator::HardwareChoice> choose_hardware(const std::string& wanted,
                                                 const emulator::HardwareParts& parts) {
  using emulator::HardwareKind;
  emulator::HardwareChoice choice;
  HardwareKind kind = HardwareKind::block;
  if (wanted == "files") kind = HardwareKind::files;
  if (wanted == "none") kind = HardwareKind::none;
  if (kind == HardwareKind::block) {
    const auto works = emulator::block_hardware_works(parts);
    if (!works && wanted == "block") {
      Error error = works.error();
      error.hint = "Use --hardware files: volumes are directories then, and no devices are shown.";
      return std::unexpected{std::move(error)};
    }
    if (!works) {
      kind = HardwareKind::files;
      choice.note = fmt::format("no block hardware: {}", works.error().message);
    }
  }
  RUNCTL_TRY_LET(choice.hardware, emulator::make_hardware(kind, parts));
  return choice;
}

}  // namespace

Result<std::optional<cli::EmulatorStatus>> EmbeddedEmulator::status(const std::string& state) {
  RUNCTL_TRY_LET(const auto info, emulator::emulator_status(state));
  if (!info) return std::nullopt;
  return to_status(*info, state);
}

Result<cli::EmulatorStatus> EmbeddedEmulator::start(const cli::EmulatorOptions& options) {
  RUNCTL_TRY_LET(const auto running, status(options.state));
  if (running) return *running;
  auto started = emulator::start_emulator(to_daemon(options), clock_, environment_, stop_);
  if (!started && !options.port) {
    // The usual port is somebody else's: nobody asked for it, and the endpoint is written down.
    cli::EmulatorOptions elsewhere = options;
    elsewhere.port = 0;
    started = emulator::start_emulator(to_daemon(elsewhere), clock_, environment_, stop_);
  }
  if (!started) return std::unexpected{std::move(started).error()};
  return to_status(*started, options.state);
}

Result<bool> EmbeddedEmulator::stop(const std::string& state) {
  return emulator::stop_emulator(state);
}

void EmbeddedEmulator::clean_up(const std::string& state) {
  for (const std::string& line : emulator::clean_up_after_crash(state)) {
    log_.write({.level = LogLevel::warning,
                .name = "emulator.cleaned",
                .fields = {{.name = "what", .value = line}}});
  }
}

Result<bool> EmbeddedEmulator::reset(const std::string& state) {
  RUNCTL_TRY_LET(const auto running, emulator::emulator_status(state));
  if (!running) clean_up(state);
  return emulator::reset_emulator(state);
}

std::string EmbeddedEmulator::event_log(const std::string& state) {
  return emulator::event_log_of(state).string();
}

Result<std::vector<std::string>> EmbeddedEmulator::add_fault(
    const std::string& state, const std::vector<std::string>& words) {
  return emulator::add_fault(http_, clock_, state, words);
}

Result<std::vector<std::string>> EmbeddedEmulator::clear_faults(const std::string& state,
                                                                const std::string& target) {
  return emulator::clear_faults(http_, clock_, state, target);
}

Result<std::vector<std::string>> EmbeddedEmulator::list_faults(const std::string& state) {
  return emulator::list_faults(http_, clock_, state);
}

Result<void> EmbeddedEmulator::run(const cli::EmulatorOptions& options,
                                   const std::stop_token& stop) {
  const auto daemon = to_daemon(options);
  std::optional<SeededRandom> seeded;
  if (options.seed) seeded.emplace(*options.seed);
  return emulator::run_emulator(
      daemon,
      {.clock = clock_,
       .random = seeded ? static_cast<Random&>(*seeded) : random_,
       .out = std::cout,
       .make_hardware =
           [&] {
             clean_up(daemon.state);
             return choose_hardware(daemon.hardware,
                                    {.state = daemon.state, .clock = clock_, .process = process_});
           },
       .version = std::string{cli::version}},
      stop);
}

}  // namespace runctl
