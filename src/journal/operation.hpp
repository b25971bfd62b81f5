// What the journal knows of an operation: a command's changes, step by step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time_text.hpp"

namespace runctl::journal {

// What became of one step, as far as is known.
enum class Outcome : std::uint8_t {
  pending,      // it was about to be sent; whether it was is not known
  applied,      // the other side acted
  not_applied,  // it refused, or reading showed that it never acted
  unknown       // sent, and no answer came
};
[[nodiscard]] std::string_view name_of(Outcome outcome);
[[nodiscard]] Result<Outcome> parse_outcome(std::string_view text);

// One request that changes something: a call to AWS, or a script on a machine.
struct Step {
  std::string action;   // "AttachVolume"; of scripts "machine:mount"
  std::string request;  // a JSON object, as it was sent
  Timestamp sent = {};  // when it was about to be
  Outcome outcome = Outcome::pending;
  std::string answer = {};  // in a few words: an id, or an error's code
};

// Who carries it out. A process id alone may be somebody else's by now.
struct Owner {
  int pid = 0;
  std::uint64_t start = 0;  // process_start(pid)
  std::string boot = {};    // of the machine: /proc/sys/kernel/random/boot_id
  std::string host = {};
};
[[nodiscard]] Owner this_process();

enum class Life : std::uint8_t { running, gone, elsewhere };  // elsewhere: another host's process
[[nodiscard]] Life life_of(const Owner& owner);

enum class State : std::uint8_t {
  open,  // not ended: running, or interrupted, or ended without knowing what it did
  done,
  failed,    // ended in a known state, which was told
  abandoned  // the user gave it up
};
[[nodiscard]] std::string_view name_of(State state);
[[nodiscard]] Result<State> parse_state(std::string_view text);

struct Operation {
  std::string id = {};                     // "op-" and 12 hex digits
  std::string kind = {};                   // "attach"
  std::string place = {};                  // "us-east-1 at https://ec2.us-east-1.amazonaws.com"
  std::vector<std::string> subjects = {};  // ids of volumes, instances, snapshots
  std::string plan = {};                   // a JSON object: what it is to end in
  Owner owner = {};
  Timestamp begun = {};
  State state = State::open;
  std::string message = {};  // how it ended, or why it did not
  std::optional<Timestamp> ended = {};
  std::vector<Step> steps = {};
};

// Open, and nobody is at it any more.
[[nodiscard]] bool is_unfinished(const Operation& operation);

}  // namespace runctl::journal
