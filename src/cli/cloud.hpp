// The way from a command to the cloud: endpoint, credentials, region, client, shell.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/json/object.hpp>

#include "aws/client.hpp"
#include "aws/endpoint.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"
#include "journal/operation.hpp"
#include "journal/recorder.hpp"
#include "node/remote_shell.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"
#include "volume/session.hpp"

namespace runctl::cli {

// Where operations on this cloud are written down: beside the emulator's state, or in
// $XDG_STATE_HOME/runctl.
[[nodiscard]] std::filesystem::path journal_path(const Context& context);
[[nodiscard]] std::filesystem::path emulator_journal_path(const Context& context);

// What a command is about to do, for the journal.
struct OperationSpec {
  std::string kind;                        // "attach"
  std::vector<std::string> subjects = {};  // ids of what it is about
  boost::json::object plan = {};           // what it is to end in, for `operations resume`
};

// Lives as long as the command. Neither copied nor moved: the shell borrows the client.
class Cloud {
 public:
  Cloud(Context& context, std::string place, aws::ClientConfig config)
      : context_{context},
        place_{std::move(place)},
        aws_{context.http, context.clock, context.random, context.log, std::move(config)},
        shell_{make_shell()} {}
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;
  Cloud(Cloud&&) = delete;
  Cloud& operator=(Cloud&&) = delete;
  ~Cloud() = default;

  [[nodiscard]] aws::Client& aws() { return aws_; }
  [[nodiscard]] node::RemoteShell& shell() { return *shell_; }
  // With the deadline of --timeout, counted from the command's start, and progress on standard
  // error.
  [[nodiscard]] volume::Session session();
  [[nodiscard]] aws::CallOptions options() { return session().options(); }
  // Which cloud this is, in words: operations of another one are not continued here.
  [[nodiscard]] const std::string& place() const { return place_; }

  // As volume::find_volume; says first when an operation on the volume was left unfinished.
  [[nodiscard]] Result<volume::VolumeFacts> find_volume(std::string_view text);

  // What was done here on what has that id, the newest first. Errors: those of the journal.
  [[nodiscard]] Result<std::vector<journal::Operation>> operations_on(const std::string& subject,
                                                                      std::int64_t limit = 1'000);

  // The device names that the volume had, or was to have, within the life of a request.
  [[nodiscard]] Result<std::vector<std::string>> recent_devices(const VolumeId& volume);

  // Carries out what changes something, as one operation of the journal. `act` takes a
  // volume::Change; its result is the operation's, and is returned.
  template <class Act>
  [[nodiscard]] std::invoke_result_t<Act, const volume::Change&> carry_out(
      const volume::Session& session, OperationSpec spec, const Act& act) {
    journal::Recorder recorder = begin(std::move(spec));
    auto result = act(volume::Change{.session = session, .recorder = recorder});
    end(recorder, result ? nullptr : &result.error());
    return result;
  }

  // Goes on with an operation that another process left open. It stays open when `act` fails.
  template <class Act>
  [[nodiscard]] std::invoke_result_t<Act, const volume::Change&> go_on(
      const volume::Session& session, journal::Operation operation, const Act& act) {
    journal::Recorder recorder = take_over(std::move(operation));
    auto result = act(volume::Change{.session = session, .recorder = recorder});
    end_taken_over(recorder, result ? nullptr : &result.error());
    return result;
  }

 private:
  [[nodiscard]] std::unique_ptr<node::RemoteShell> make_shell();
  [[nodiscard]] journal::Recorder take_over(journal::Operation operation);
  void end_taken_over(journal::Recorder& recorder, Error* error);
  static void say_left_open(const journal::Operation& operation, Error& error);
  [[nodiscard]] journal::Recorder begin(OperationSpec spec);
  void end(journal::Recorder& recorder, Error* error);
  void warn_unwritten(const journal::Operation& operation, const Error& error);

  Context& context_;
  std::string place_;
  aws::Client aws_;
  std::unique_ptr<node::RemoteShell> shell_;
  std::chrono::steady_clock::time_point started_ = context_.clock.ticks();
};

// Resolves where requests go and who signs them. With --emulator the embedded emulator is started
// when it does not run, and a line on standard error says that it is used. Errors: denied (no
// credentials), invalid_argument (no region, a bad endpoint), those of the emulator.
[[nodiscard]] Result<std::unique_ptr<Cloud>> connect(Context& context);

}  // namespace runctl::cli
