// runctl quickstart: the main job, start to end, on an emulated cloud of its own
#include <array>
#include <filesystem>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/quickstart/scratch_cloud.hpp"
#include "cli/quickstart/tours.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 3> options{{
    {.name = "--show-corruption",
     .help = "show instead what two machines that write one volume do to it; needs root"},
    {.name = "--hardware",
     .value = "block|files",
     .help = "what stands behind the cloud (default: block when root)"},
    {.name = "--example", .value = "DIR", .help = "where examples/digits is, if not here"},
}};

Result<std::string> find_example(const Arguments& arguments) {
  std::error_code error;
  std::vector<std::filesystem::path> places;
  if (const auto given = arguments.get("--example")) {
    places.emplace_back(*given);
  } else {
    // A checkout: this directory or above it, or above the program itself
    // (build/release/src/main/runctl).
    for (auto start : {std::filesystem::current_path(error),
                       std::filesystem::read_symlink("/proc/self/exe", error)}) {
      for (; start != start.parent_path(); start = start.parent_path())
        places.push_back(start / "examples" / "digits");
    }
  }
  for (const auto& place : places) {
    if (std::filesystem::exists(place / "train.py", error))
      return place.lexically_proximate(std::filesystem::current_path(error)).string();
  }
  auto missing =
      fail(Errc::not_found, "the example that the tour trains, examples/digits, is not here");
  missing.error().hint = "Run it from a checkout of runctl, or say where it is with --example.";
  return missing;
}

std::unexpected<Error> nothing_to_corrupt(const EmulatorStatus& emulator) {
  auto refusal =
      fail(Errc::conflict, "--show-corruption needs block devices, and this cloud has none");
  refusal.error().details.emplace_back(
      "with hardware files a volume is a directory: it has no filesystem of its own to destroy");
  if (!emulator.hardware_note.empty()) refusal.error().details.push_back(emulator.hardware_note);
  refusal.error().hint = "Run it as root: sudo runctl quickstart --show-corruption";
  return refusal;
}

Result<void> take(Context& context, const Arguments& arguments, const std::string& example,
                  const ScratchCloud& cloud) {
  const auto& emulator = cloud.emulator();
  const Devices devices = emulator.hardware == "block" ? Devices::real : Devices::none;
  const bool corruption = arguments.has("--show-corruption");
  if (corruption && devices == Devices::none) return nothing_to_corrupt(emulator);
  context.out << fmt::format(
      "A cloud is started on this machine, at {}, hardware {}.\nNothing here is AWS, and nothing "
      "costs money. Type the commands with --emulator.\n",
      emulator.endpoint, emulator.hardware);
  if (!emulator.hardware_note.empty()) context.out << fmt::format("({})\n", emulator.hardware_note);
  unsigned steps = corruption ? corruption_steps : main_job_steps;
  if (devices == Devices::none) steps = main_job_steps_without_devices;
  Tour tour{context, cloud.state(), steps};
  auto taken = corruption ? show_corruption(tour) : show_main_job(tour, example, devices);
  if (!taken) return tour.failed(std::move(taken).error());
  return {};
}

std::vector<std::string> steps_of(const Arguments& arguments) {
  return {"start a cloud on this machine, in a directory of its own",
          arguments.has("--show-corruption")
              ? "have two machines of it write one scratch volume at the same time, unguarded"
              : "seal a data set on it, train a model, and hand its checkpoints over",
          "stop it, and remove everything that it made"};
}

Result<ExitCode> guide(const Arguments& arguments, Context& context) {
  if (context.globals.dry_run) return show_plan(context, steps_of(arguments));
  std::string example;
  if (!arguments.has("--show-corruption")) {
    RUNCTL_TRY_LET(example, find_example(arguments));
  }
  const auto started = context.clock.ticks();
  RUNCTL_TRY_LET(const auto cloud,
                 ScratchCloud::start(context, arguments.get("--hardware").value_or("auto")));
  auto taken = take(context, arguments, example, *cloud);
  // Also after a failure nothing is left behind.
  const auto removed = cloud->remove();
  if (!taken && !removed) taken.error().details.push_back(removed.error().message);
  RUNCTL_TRY(taken);
  RUNCTL_TRY(removed);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.clock.ticks() - started);
  context.out << fmt::format(
      "\nDone in {}. The cloud is stopped and everything it made is removed.\n",
      duration_in_words(elapsed));
  if (!arguments.has("--show-corruption")) {
    context.out << "On your own: runctl emulator start, then any command with --emulator. See\n"
                   "runctl --help. What the guards are for: runctl quickstart --show-corruption\n";
  }
  return ExitCode::ok;
}

}  // namespace

const CommandSpec quickstart{.path = "quickstart",
                             .summary = "a tour of the main job on an embedded cloud",
                             .positionals = {},
                             .options = options,
                             .danger = Danger::changes,
                             .run = guide};

}  // namespace runctl::cli
