// Which action a request asks for, and how refusals look on the wire.
#pragma once

#include <string>
#include <string_view>

#include "aws/operation.hpp"
#include "aws/sigv4.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

// Decodes a request's body, takes the action, and encodes its answer.
struct Route {
  const aws::OperationInfo& operation;
  Result<std::string> (*act)(ec2::Turn& turn, std::string_view body, std::string_view request_id);
};

// The service that a request is for: X-Amz-Target names SSM, else the credential's scope says, and
// a request without a signature is taken for EC2's unless its Version is another's.
[[nodiscard]] const aws::Service& service_of(const HttpRequest& request);

// Errors: InvalidAction, MissingAction, UnknownOperationException.
[[nodiscard]] Result<const Route*> route_of(const aws::Service& service,
                                            const HttpRequest& request);

// The action's name as the request has it, for the event log; "" without one.
[[nodiscard]] std::string action_name(const aws::Service& service, const HttpRequest& request);

// A refused signature in the words of the service.
// Source: EC2 and Systems Manager API references, "Common errors"; ebs-facts, section 4.
[[nodiscard]] Error refused_signature(const aws::Service& service,
                                      const aws::SignatureFailure& failure);

[[nodiscard]] HttpResponse answer(const aws::Service& service, int status, std::string body,
                                  std::string_view request_id);
[[nodiscard]] HttpResponse error_answer(const aws::Service& service, const Error& error,
                                        std::string_view request_id);

}  // namespace runctl::emulator
