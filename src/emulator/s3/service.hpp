// The emulated S3: requests in, with their bodies still on the way, answers out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "emulator/event_log.hpp"
#include "emulator/fault.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/store.hpp"
#include "emulator/server/request_body.hpp"
#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "io/random.hpp"

namespace runctl::emulator::s3 {

struct ServiceParts {
  Clock& clock;
  Random& random;
  EventLog& events;
  Faults& faults;
  Store& store;
};

// Thread safety: may be used from several threads at once.
class Service {
 public:
  explicit Service(ServiceParts parts) : parts_{parts} {}

  // Never fails: whatever comes in, an answer of S3's form goes out; how much of it arrives is the
  // faults' business.
  [[nodiscard]] Reply handle(const HttpRequest& head, RequestBody& body);

 private:
  [[nodiscard]] Result<Reply> answer(Call& call, const Strike& strike);
  [[nodiscard]] Reply finish(const Call& call, Result<Reply> answer, std::string_view request_id);
  void log(const Call& call, std::string_view action, const Strike& strike,
           std::string_view request_id, const Reply& reply, const Error* error);

  ServiceParts parts_;
};

// The name of what a request asks for: "PutObject"; "" when it is nothing that is known here.
[[nodiscard]] std::string_view action_of(const aws::RestRequest& request);

}  // namespace runctl::emulator::s3
