// The tour's voice: what it says, the commands as a user would type them, and their real answers.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// A machine of the tour's cloud.
struct TourMachine {
  std::string name;  // stands in its prompt
  InstanceId id;
};

// What a command typed on a machine came to.
struct Typed {
  int exit_status = 0;
  std::string said = {};  // both streams, in the order in which a terminal would show them
};

// Borrows the context.
class Tour {
 public:
  // `state` is the emulator's directory, `steps` the number of step()s to come.
  Tour(Context& context, std::string state, unsigned steps)
      : context_{context}, state_{std::move(state)}, steps_{steps} {}

  void step(std::string title);
  void say(std::string_view text);

  // Runs a command of this program, which must end with `expected`; returns what it said. Errors:
  // internal, with what it said, when it ends otherwise; cancelled.
  [[nodiscard]] Result<std::string> run(std::vector<std::string> words,
                                        ExitCode expected = ExitCode::ok);
  // The same with --output id; returns the id.
  [[nodiscard]] Result<std::string> run_for_id(std::vector<std::string> words);
  // The same with --output json, and not shown.
  [[nodiscard]] Result<boost::json::value> ask(std::vector<std::string> words);

  // Runs the commands one after the other as root on the machine, through SSM, whatever each comes
  // to. Errors: as RemoteShell.
  [[nodiscard]] Result<std::vector<Typed>> type(const TourMachine& machine,
                                                std::span<const std::string> commands);
  // One command that must end with 0; returns what it said. Errors: internal; as RemoteShell.
  [[nodiscard]] Result<std::string> type(const TourMachine& machine, const std::string& command);
  // The same command on all of them at the same time; their answers one after the other.
  [[nodiscard]] Result<void> type_at_once(std::span<const TourMachine> machines,
                                          const std::vector<std::string>& commands);

  // For a command that is not this program's: shown as it is typed, then what it answers.
  void show_command(const std::vector<std::string>& words);
  void show_answer(std::string_view text);

  // A context on the tour's cloud, for what no command does. Its output goes to `screen`.
  [[nodiscard]] Context on_cloud(std::ostream& screen) const;

  // With the step that was under way, in words.
  [[nodiscard]] std::unexpected<Error> failed(Error error) const;

 private:
  struct Ran {
    ExitCode code = ExitCode::ok;
    std::string said = {};
  };
  [[nodiscard]] Ran execute(std::vector<std::string> words) const;
  void show_typed(const TourMachine& machine, std::string_view command, const Typed& typed);

  Context& context_;
  std::string state_;
  unsigned steps_;
  unsigned current_ = 0;
  std::string title_ = {};
};

}  // namespace runctl::cli
