// What a refusal by AWS means to a caller.
#pragma once

#include <string>

#include "base/result.hpp"

namespace runctl::aws {

// As the service sent it. `code` is empty when the answer held none (a proxy's page, an empty
// body).
struct ServiceError {
  int http_status = 0;
  std::string code = {};
  std::string message = {};
  std::string request_id = {};
};

// Code, effect and hint are functions of AWS's code where it is known, of its form ("*.NotFound")
// or the HTTP status where it is not. AWS's own code and request id are kept as they came in
// Error::remote. Anything with a 5xx status has effect `unknown`, unless its code says that nothing
// was made: such an answer can be lost work. RequestLimitExceeded counts as such an answer whatever
// its status. Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
[[nodiscard]] Error error_from(const ServiceError& error);

}  // namespace runctl::aws
