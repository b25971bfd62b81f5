// Faults on demand: what goes wrong with which requests, as data.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "emulator/ec2/state.hpp"
#include "emulator/reply.hpp"

namespace runctl::emulator {

enum class FaultEffect : std::uint8_t {
  throttle,         // RequestLimitExceeded (SSM: ThrottlingException; S3: SlowDown), and nothing is
                    // done
  fail_before,      // an error of the rule's code, and nothing is done
  fail_after,       // it is done, and the answer is an error of the rule's code
  drop_before,      // the connection ends, and nothing is done
  drop_reply,       // it is done, and the connection ends without an answer
  truncate,         // it is done, and the answer ends in the middle
  reset,            // the connection is reset in the middle of the body: of the request, which is
                    // not done then, or else of the answer
  bit_flip,         // one bit of the body, of the request or else of the answer, is another
  slow,             // bodies move at so many bytes a second
  delay,            // the request waits before it is looked at
  stale,            // a read shows how things were before their last change
  stuck_attaching,  // an attachment never becomes `attached`
  // Of machines instead of requests: the rule's `action` is an instance's id.
  agent_offline,      // the SSM agent does not answer
  agent_slow,         // it takes a while until it fetches a command
  power_loss,         // at once, and no rule: Cloud::cut_power
  spot_interruption,  // notice to a spot instance, which keeps it: Cloud::give_notice
};
[[nodiscard]] bool is_of_machines(FaultEffect effect);
// Whether it is done to the machines that there are, and no rule for later.
[[nodiscard]] bool happens_once(FaultEffect effect);
[[nodiscard]] std::string_view name_of(FaultEffect effect);

struct FaultRule {
  std::string action = "*";  // "AttachVolume", "i-0123…"; "Describe*" is all that begin so
  FaultEffect effect = FaultEffect::throttle;
  double rate = 1;                          // of the requests that match
  std::uint64_t skip = 0;                   // so many matching requests pass first
  std::optional<std::uint64_t> times = {};  // then it strikes at most so often
  std::string code = {};                    // fail_*: AWS's code
  int status = 500;                         // fail_*: HTTP's
  // delay, agent_slow: how long; spot_interruption: how long from the notice; stale: how old at
  // most. Source of the bound: none; EC2 promises only that reads agree in the end, and its users
  // see seconds (ebs-facts 7).
  std::chrono::milliseconds duration{1'000};
  std::uint64_t bytes_per_second = 65'536;  // slow
};

// Reads "AttachVolume drop-reply rate=0.2 times=3": an action, an effect, and what else a rule has.
// Errors: invalid_argument, with the nearest known word.
[[nodiscard]] Result<FaultRule> parse_fault(std::span<const std::string> words);
// A rule a line; '#' begins a comment. Errors: invalid_argument with the line's number.
[[nodiscard]] Result<std::vector<FaultRule>> parse_faults(std::string_view text);
// The words that parse_fault reads.
[[nodiscard]] std::string to_words(const FaultRule& rule);

[[nodiscard]] bool matches(const FaultRule& rule, std::string_view action);

// Whether the rule strikes its `number`th matching request, counted from 0, not regarding `times`.
// Pure: the same seed gives the same run, in whatever order threads come.
[[nodiscard]] bool strikes(const FaultRule& rule, std::uint64_t seed, std::uint64_t number);

struct WireFault {
  std::string code;
  int status = 500;
};

// What the rules together do to one request.
struct Strike {
  std::vector<FaultEffect> effects = {};
  std::chrono::milliseconds delay{0};
  std::optional<WireFault> before = {};  // instead of doing it
  std::optional<WireFault> after = {};   // instead of the answer
  std::optional<std::chrono::milliseconds> stale = {};
  bool dropped_before = false;
  bool stuck = false;
  std::optional<std::uint64_t> bytes_per_second = {};
  // Modulo the body's length it is the byte whose lowest bit is turned.
  std::optional<std::uint64_t> flip_draw = {};
  Delivery delivery = Delivery::whole;
};

// Thread safety: may be used from several threads at once.
class Faults {
 public:
  explicit Faults(std::uint64_t seed = 0) : seed_{seed} {}
  void set(std::vector<FaultRule> rules);
  void add(FaultRule rule);
  // Takes away the rules of that action or machine, as it is written in them.
  void remove(std::string_view action);
  [[nodiscard]] std::vector<FaultRule> rules() const;
  // How long a state has to be kept that a read may have to show: 0 when none may.
  [[nodiscard]] std::chrono::milliseconds oldest_read() const;
  [[nodiscard]] Strike on_request(std::string_view action);
  // What the rules have done to the machine's agent.
  [[nodiscard]] ec2::Agent agent_of(const InstanceId& instance) const;

 private:
  struct Counted {
    FaultRule rule;
    std::uint64_t matched = 0;
    std::uint64_t struck = 0;
  };

  std::uint64_t seed_;
  mutable std::mutex mutex_;
  std::vector<Counted> rules_;
};

}  // namespace runctl::emulator
