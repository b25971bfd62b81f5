// Client tokens: a request that is sent again is answered again, and acted upon once.
#pragma once

#include <string>

#include "base/result.hpp"
#include "emulator/ec2/lookup.hpp"
#include "emulator/ec2/state.hpp"
#include "emulator/ec2/stored_answer.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {

// Calls `act`, unless the request's token has been seen with the same parameters: then the first
// answer is given again. A request without a token is always acted upon. Errors: those of `act`;
// InvalidParameterValue for a token of more than 64 characters; IdempotentParameterMismatch.
// Source: ebs-facts, section 3.
template <class Operation, class Act>
[[nodiscard]] Result<typename Operation::Response> once(Turn& turn,
                                                        const typename Operation::Request& request,
                                                        const Act& act) {
  if (request.client_token.empty()) return act();
  if (request.client_token.size() > 64) {
    return refuse("InvalidParameterValue", "The client token is longer than 64 characters");
  }
  auto parameters = request;
  parameters.client_token.clear();
  const std::string key = std::string{Operation::info.name} + "/" + request.client_token;
  const std::string fingerprint = fingerprint_of(Operation::info, aws::writing(parameters));
  RUNCTL_TRY_LET(const auto first, first_answer(turn.state, key, fingerprint));
  if (first) return from_stored<typename Operation::Response>(*first);
  RUNCTL_TRY_LET(auto answer, act());
  turn.state.tokens.put(key, {fingerprint, to_stored(answer)});
  return answer;
}

}  // namespace runctl::emulator::ec2
