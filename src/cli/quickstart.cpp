// runctl quickstart: the main job, start to end, on an emulated cloud of its own
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"
#include "cli/run.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 2> options{{
    {.name = "--hardware",
     .value = "block|files",
     .help = "what stands behind the cloud (default: block when root)"},
    {.name = "--example", .value = "DIR", .help = "where examples/digits is, if not here"},
}};

// Runs the program's own commands as a user would type them, and shows both the words and the
// answer.
class Tour {
 public:
  Tour(Context& context, std::string state) : context_{context}, state_{std::move(state)} {}

  void say(std::string_view text) { context_.out << '\n' << text << '\n' << std::flush; }

  // A command that must end with `expected`; gives what it said. Errors: internal when it does not.
  Result<std::string> run(std::vector<std::string> words, ExitCode expected = ExitCode::ok) {
    return run_as(std::move(words), expected, std::nullopt);
  }

  // The same for one whose id is used later: shown as a shell assignment.
  Result<std::string> run_for(std::string variable, std::vector<std::string> words) {
    words.insert(words.end(), {"--output", "id"});
    RUNCTL_TRY_LET(const auto said, run_as(std::move(words), ExitCode::ok, std::move(variable)));
    const std::string_view text = trim(said);
    return std::string{text.substr(text.rfind('\n') + 1)};  // npos + 1 is 0: a single line
  }

 private:
  Result<std::string> run_as(std::vector<std::string> words, ExitCode expected,
                             const std::optional<std::string>& variable) {
    std::string line = "runctl";
    for (const std::string& word : words)
      line += ' ' + (needs_quotes(word) ? shell_quote(word) : word);
    context_.out << (variable ? fmt::format("$ {}=$({})\n", *variable, line)
                              : fmt::format("$ {}\n", line))
                 << std::flush;
    const std::size_t end =
        static_cast<std::size_t>(std::ranges::find(words, "--") - words.begin());
    const std::array<std::string, 3> own{"--emulator", "--state", state_};
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(end), own.begin(), own.end());

    std::ostringstream screen;  // both streams, in the order in which a terminal would show them
    Context inner{.clock = context_.clock,
                  .http = context_.http,
                  .process = context_.process,
                  .random = context_.random,
                  .log = context_.log,
                  .environment = context_.environment,
                  .emulator = context_.emulator,
                  .in = context_.in,
                  .out = screen,
                  .err = screen,
                  .stop = context_.stop};
    const ExitCode code = cli::run(inner, words);
    std::string said = screen.str();
    show(said);
    if (code == expected) return said;
    if (code == ExitCode::cancelled) return fail(Errc::cancelled, "the tour was stopped");
    return fail(Errc::internal, fmt::format("the tour expected exit {} and got {}",
                                            static_cast<int>(expected), static_cast<int>(code)));
  }

  void show(const std::string& text) {
    for (const std::string_view line : split(text, '\n')) {
      // The note on the emulator stands before each answer; said once is enough.
      if (!line.empty() && !line.starts_with("(emulator at")) context_.out << "  " << line << '\n';
    }
    context_.out << std::flush;
  }

  static bool needs_quotes(std::string_view word) {
    return word.empty() || word.find_first_of(" '\"$;&|<>()") != word.npos;
  }

  Context& context_;
  std::string state_;
};

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

// A directory that is removed with everything in it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> make(const Environment& environment) {
    std::string path = environment.get("TMPDIR").value_or("/tmp") + "/runctl-quickstart-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(Errc::internal, fmt::format("cannot make a directory below {}: {}", path,
                                              std::generic_category().message(errno)));
    }
    return TemporaryDirectory{std::move(path)};
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_{std::exchange(other.path_, {})} {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_{std::move(path)} {}
  std::string path_;
};

// What a training says of its model at its end: "final epoch=20 accuracy=… sha256=…".
Result<std::string> model_of(std::string_view said) {
  for (const std::string_view line : split(said, '\n')) {
    if (line.starts_with("final ")) return std::string{line};
  }
  return fail(Errc::internal, "the training did not say which model it made");
}

constexpr std::string_view epochs = "20";
constexpr std::string_view stop_after = "10";

Result<void> first_machine(Tour& tour, const std::string& example, const std::string& volume,
                           const std::string& machine) {
  tour.say("The volume is attached, formatted (it is proved blank first) and mounted.");
  RUNCTL_TRY(tour.run({"aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data",
                       "--format", "ext4"}));
  tour.say("A real data set is put on it: 1,797 handwritten digits.");
  RUNCTL_TRY(tour.run(
      {"aws", "train", machine, example + "/prepare.py", "--data-volume", volume, "--wait"}));
  tour.say(
      "A model is trained on it, by a real process that writes its checkpoints to the volume, and "
      "stops half-way.");
  RUNCTL_TRY(tour.run({"aws", "train", machine, example + "/train.py", "--data-volume", volume,
                       "--checkpoint-volume", volume, "--wait", "--", "--epochs",
                       std::string{epochs}, "--stop-after", std::string{stop_after}}));
  return {};
}

// Both give the model, as the training told of it.
Result<std::string> second_machine(Tour& tour, const std::string& example,
                                   const std::string& volume, const std::string& machine) {
  tour.say(
      "A second machine asks for the volume. Two writers would destroy its filesystem, so it is "
      "refused:");
  RUNCTL_TRY(tour.run({"aws", "ebs", "attach", volume, "--instance", machine}, ExitCode::refused));
  tour.say(
      "One of the ways out: work on a copy. The volume is snapshotted, and the snapshot restored.");
  RUNCTL_TRY_LET(const auto snapshot, tour.run_for("SNAP", {"aws", "ebs", "snapshot", volume,
                                                            "--name", "half-way", "--wait"}));
  RUNCTL_TRY_LET(const auto copy, tour.run_for("COPY", {"aws", "ebs", "restore", snapshot, "--name",
                                                        "digits-2", "--wait"}));
  tour.say("The second machine goes on from the last checkpoint, on the copy.");
  RUNCTL_TRY_LET(const auto said,
                 tour.run({"aws", "train", machine, example + "/train.py", "--data-volume", copy,
                           "--checkpoint-volume", copy, "--resume", "--wait", "--", "--epochs",
                           std::string{epochs}}));
  return model_of(said);
}

Result<std::string> reference(Tour& tour, const std::string& example, const std::string& volume,
                              const std::string& machine) {
  tour.say(
      "For comparison, the same training in one go: its model must be the same to the last bit.");
  RUNCTL_TRY_LET(const auto checkpoints,
                 tour.run_for("ONE", {"aws", "ebs", "create", "--size", "1", "--name", "one-go"}));
  RUNCTL_TRY(tour.run({"aws", "ebs", "attach", checkpoints, "--instance", machine, "--mount",
                       "/one-go", "--format", "ext4"}));
  RUNCTL_TRY_LET(const auto said,
                 tour.run({"aws", "train", machine, example + "/train.py", "--data-volume", volume,
                           "--checkpoint-volume", checkpoints, "--wait", "--", "--epochs",
                           std::string{epochs}}));
  return model_of(said);
}

Result<void> give_back(Tour& tour, const std::string& first, const std::string& second) {
  tour.say("The machines are given back: their volumes are unmounted first, and stay.");
  RUNCTL_TRY(tour.run({"aws", "terminate", first, "--yes"}));
  RUNCTL_TRY(tour.run({"aws", "terminate", second, "--yes"}));
  RUNCTL_TRY(tour.run({"aws", "ebs", "list"}));
  return {};
}

Result<void> take(Tour& tour, const std::string& example) {
  tour.say("Two machines are rented, and a volume of 8 GiB is made.");
  RUNCTL_TRY_LET(const auto first,
                 tour.run_for("FIRST", {"aws", "create", "t3.medium", "--name", "trainer-1",
                                        "--availability-zone", "us-east-1a", "--wait"}));
  RUNCTL_TRY_LET(const auto second,
                 tour.run_for("SECOND", {"aws", "create", "t3.medium", "--name", "trainer-2",
                                         "--availability-zone", "us-east-1a", "--wait"}));
  RUNCTL_TRY_LET(const auto volume,
                 tour.run_for("VOL", {"aws", "ebs", "create", "--size", "8", "--name", "digits",
                                      "--availability-zone", "us-east-1a"}));
  RUNCTL_TRY(first_machine(tour, example, volume, first));
  RUNCTL_TRY_LET(const auto resumed, second_machine(tour, example, volume, second));
  RUNCTL_TRY_LET(const auto in_one_go, reference(tour, example, volume, first));
  if (resumed != in_one_go) {
    return fail(Errc::corrupt, fmt::format("the models differ: '{}' after the hand-over, '{}' in "
                                           "one go",
                                           resumed, in_one_go));
  }
  tour.say("They are the same, bit for bit: " + resumed.substr(std::string_view{"final "}.size()));
  return give_back(tour, first, second);
}

Result<ExitCode> guide(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const std::string example, find_example(arguments));
  RUNCTL_TRY_LET(const TemporaryDirectory directory, TemporaryDirectory::make(context.environment));
  const auto started = context.clock.ticks();
  const std::string state = directory.path() + "/cloud";
  RUNCTL_TRY_LET(
      const auto emulator,
      context.emulator.start(
          {.state = state, .port = 0, .hardware = arguments.get("--hardware").value_or("auto")}));
  context.out << fmt::format("A cloud is started on this machine: {}, hardware {}.\n",
                             emulator.endpoint, emulator.hardware);
  if (!emulator.hardware_note.empty()) context.out << fmt::format("({})\n", emulator.hardware_note);
  Tour tour{context, state};
  const auto taken = take(tour, example);
  // Also after a failure nothing is left behind.
  const auto stopped = context.emulator.stop(state);
  RUNCTL_TRY(taken);
  RUNCTL_TRY(stopped);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.clock.ticks() - started);
  tour.say(fmt::format(
      "Done in {}. The cloud is stopped and everything it made is removed.\n"
      "On your own: runctl emulator start, then any command with --emulator. See runctl --help.",
      duration_in_words(elapsed)));
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
