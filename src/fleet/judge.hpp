// Finding out what became of a step whose outcome the journal does not know. Only reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time_text.hpp"
#include "journal/operation.hpp"
#include "volume/session.hpp"

namespace runctl::fleet {

enum class Verdict : std::uint8_t {
  applied,
  not_applied,
  still_open  // nothing is to be seen of it, and the request may still act
};

struct Finding {
  Verdict verdict = Verdict::still_open;
  std::string words = {};                  // "instance i-1 has it as /dev/sdf"
  std::vector<std::string> subjects = {};  // ids that were not known before
};

// A signed request can be accepted, and act, for as long as its signature lives, clocks that differ
// included. Source: docs, "Common errors": RequestExpired above 15 minutes (ebs-facts 3).
inline constexpr std::chrono::minutes request_life{15};

// Reads the world, three agreeing times where it is about a volume, and says what the step did.
// Errors: corrupt for a step that this version does not know; those of the reads; a machine that
// does not answer (unavailable).
[[nodiscard]] Result<Finding> judge(const volume::Session& session, const journal::Step& step);

}  // namespace runctl::fleet
