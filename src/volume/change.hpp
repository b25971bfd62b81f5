// How anything is changed: the intent goes into the journal before the request goes out.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "aws/client.hpp"
#include "aws/codec_json.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "journal/recorder.hpp"
#include "volume/session.hpp"

namespace runctl::volume {

// A session that may change things. What takes one, changes something. Borrows both.
struct Change {
  const Session& session;
  journal::Recorder& recorder;
};

// Steps on a machine are told from calls to AWS by this before their names.
inline constexpr std::string_view on_machine_prefix = "machine:";

// Sends a request that changes something, as one step of the operation. Errors: those of
// aws::Client::change; those of the journal, and then nothing was sent.
template <class Operation>
[[nodiscard]] Result<typename Operation::Response> send(
    const Change& change, const typename Operation::Request& request) {
  aws::JsonWriter writer;
  aws::write_members(writer, request);
  return change.recorder.step(std::string{Operation::info.name}, writer.finish(), [&]() {
    return change.session.aws.change<Operation>(request, change.session.options());
  });
}

// Runs what changes a machine, as one step of the operation. `what` names the volume and the
// machine, and what else is needed to look for its effect later.
template <class Act>
[[nodiscard]] std::invoke_result_t<Act> on_machine(const Change& change, std::string_view action,
                                                   const boost::json::object& what,
                                                   const Act& act) {
  return change.recorder.step(fmt::format("{}{}", on_machine_prefix, action), to_text(what), act);
}

}  // namespace runctl::volume
