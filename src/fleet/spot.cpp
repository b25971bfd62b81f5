#include "fleet/spot.hpp"

#include <string_view>

#include <fmt/format.h>

#include "aws/ec2/spot_request.hpp"

namespace runctl::fleet {

namespace ec2 = aws::ec2;

Result<std::optional<SpotFacts>> read_spot_request(const volume::Session& session,
                                                   const volume::InstanceFacts& instance) {
  if (instance.spot_request.empty()) return std::optional<SpotFacts>{};
  const auto found = session.aws.call<ec2::DescribeSpotInstanceRequests>(
      {.spot_instance_request_ids = {instance.spot_request}}, session.options());
  if (!found && found.error().code == Errc::not_found) return std::optional<SpotFacts>{};
  if (!found) return with_context(found.error(), "reading its spot request");
  if (found->spot_instance_requests.empty()) return std::optional<SpotFacts>{};
  const ec2::SpotInstanceRequest& request = found->spot_instance_requests.front();
  return std::optional{SpotFacts{.request = request.spot_instance_request_id,
                                 .persistent = request.type == "persistent",
                                 .state = request.state,
                                 .code = request.status ? request.status->code : "",
                                 .behavior = request.instance_interruption_behavior,
                                 .max_price = request.spot_price}};
}

std::string in_words(const SpotFacts& spot) {
  std::string_view what = "terminates";
  if (spot.behavior == "stop") what = "stops";
  if (spot.behavior == "hibernate") what = "hibernates";
  return fmt::format("{} request {} ({}{}{}); an interruption {} it",
                     spot.persistent ? "persistent" : "one-time", spot.request, spot.state,
                     spot.code.empty() ? "" : ", ", spot.code, what);
}

}  // namespace runctl::fleet
