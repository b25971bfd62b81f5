#include "emulator/routes.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "aws/codec.hpp"
#include "base/text.hpp"
#include "emulator/ec2/actions.hpp"
#include "emulator/refusal.hpp"
#include "emulator/ssm/actions.hpp"
#include "emulator/sts/actions.hpp"

namespace runctl::emulator {
namespace {

template <class Operation>
using Action = Result<typename Operation::Response> (*)(ec2::Turn&,
                                                        const typename Operation::Request&);

template <class Operation, Action<Operation> action>
Result<std::string> act(ec2::Turn& turn, std::string_view body, std::string_view request_id) {
  typename Operation::Request request{};
  RUNCTL_TRY(aws::read_request(Operation::info, body, aws::reading(request)));
  if constexpr (requires { request.dry_run; }) {
    // It asks for rights, not for states. Source: ebs-facts, section 4.
    if (request.dry_run.value_or(false)) {
      return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.",
                    412);
    }
  }
  RUNCTL_TRY_LET(const auto response, action(turn, request));
  return aws::write_response(Operation::info, request_id, aws::writing(response));
}

template <class Operation, Action<Operation> action>
constexpr Route route() {
  return {.operation = Operation::info, .act = act<Operation, action>};
}

namespace e = aws::ec2;
namespace s = aws::ssm;

const auto routes = std::to_array<Route>({
    route<e::CreateVolume, ec2::create_volume>(),
    route<e::CopyVolumes, ec2::copy_volumes>(),
    route<e::ModifyVolume, ec2::modify_volume>(),
    route<e::DescribeVolumesModifications, ec2::describe_volumes_modifications>(),
    route<e::DeleteVolume, ec2::delete_volume>(),
    route<e::DescribeVolumes, ec2::describe_volumes>(),
    route<e::AttachVolume, ec2::attach_volume>(),
    route<e::DetachVolume, ec2::detach_volume>(),
    route<e::CreateSnapshot, ec2::create_snapshot>(),
    route<e::DeleteSnapshot, ec2::delete_snapshot>(),
    route<e::DescribeSnapshots, ec2::describe_snapshots>(),
    route<e::RunInstances, ec2::run_instances>(),
    route<e::DescribeInstances, ec2::describe_instances>(),
    route<e::TerminateInstances, ec2::terminate_instances>(),
    route<e::StopInstances, ec2::stop_instances>(),
    route<e::StartInstances, ec2::start_instances>(),
    route<e::RebootInstances, ec2::reboot_instances>(),
    route<e::ModifyInstanceAttribute, ec2::modify_instance_attribute>(),
    route<e::DescribeSpotInstanceRequests, ec2::describe_spot_instance_requests>(),
    route<e::CancelSpotInstanceRequests, ec2::cancel_spot_instance_requests>(),
    route<e::DescribeSpotPriceHistory, ec2::describe_spot_price_history>(),
    route<e::CreateTags, ec2::create_tags>(),
    route<e::DeleteTags, ec2::delete_tags>(),
    route<e::DescribeTags, ec2::describe_tags>(),
    route<e::DescribeRegions, ec2::describe_regions>(),
    route<e::DescribeAvailabilityZones, ec2::describe_availability_zones>(),
    route<e::DescribeInstanceTypes, ec2::describe_instance_types>(),
    route<e::DescribeImages, ec2::describe_images>(),
    route<e::DescribeVpcs, ec2::describe_vpcs>(),
    route<e::DescribeSubnets, ec2::describe_subnets>(),
    route<e::DescribeSecurityGroups, ec2::describe_security_groups>(),
    route<e::DescribeVolumeStatus, ec2::describe_volume_status>(),
    route<e::DescribeInstanceStatus, ec2::describe_instance_status>(),
    route<s::SendCommand, ssm::send_command>(),
    route<s::GetCommandInvocation, ssm::get_command_invocation>(),
    route<s::ListCommandInvocations, ssm::list_command_invocations>(),
    route<s::CancelCommand, ssm::cancel_command>(),
    route<s::DescribeInstanceInformation, ssm::describe_instance_information>(),
    route<aws::sts::GetCallerIdentity, sts::get_caller_identity>(),
});

std::string_view header(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& h : request.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

// Nothing when the parameter is absent or given twice: which of the two is meant is not to be
// guessed.
std::string form_value(const HttpRequest& request, std::string_view name) {
  const aws::Form form = aws::parse_form(request.body);
  return form.count(name) == 1 ? form.find(name)->second : "";
}

// "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …": the fourth part.
std::string_view service_in_scope(const HttpRequest& request) {
  const std::string_view authorization = header(request, "authorization");
  const auto at = authorization.find("Credential=");
  if (at == std::string_view::npos) return {};
  std::string_view credential = authorization.substr(at + 11);
  credential = credential.substr(0, credential.find_first_of(", "));
  const auto parts = split(credential, '/');
  return parts.size() == 5 ? parts[3] : std::string_view{};
}

}  // namespace

const aws::Service& service_of(const HttpRequest& request) {
  if (!header(request, "x-amz-target").empty()) return aws::ssm_service;
  const std::string_view service = service_in_scope(request);
  if (service == aws::sts_service.id) return aws::sts_service;
  if (service == aws::ssm_service.id) return aws::ssm_service;
  if (service.empty() && form_value(request, "Version") == aws::sts_service.api_version) {
    return aws::sts_service;
  }
  return aws::ec2_service;
}

std::string action_name(const aws::Service& service, const HttpRequest& request) {
  if (service.protocol != aws::Protocol::json) return form_value(request, "Action");
  const std::string_view target = header(request, "x-amz-target");
  const auto dot = target.find('.');
  return std::string{dot == std::string_view::npos ? target : target.substr(dot + 1)};
}

Result<const Route*> route_of(const aws::Service& service, const HttpRequest& request) {
  const std::string name = action_name(service, request);
  const bool json = service.protocol == aws::Protocol::json;
  const std::string target = fmt::format("{}.{}", service.target_prefix, name);
  if (!json || header(request, "x-amz-target") == target) {
    for (const Route& route : routes) {
      if (&route.operation.service == &service && route.operation.name == name) return &route;
    }
  }
  if (json)
    return refuse("UnknownOperationException", fmt::format("The emulator does not know {}", name));
  if (name.empty()) {
    return refuse("MissingAction", "The request must contain the parameter Action once");
  }
  return refuse("InvalidAction",
                fmt::format("The action {} is not valid for this web service.", name));
}

Error refused_signature(const aws::Service& service, const aws::SignatureFailure& failure) {
  using aws::SignatureFault;
  const bool is_ec2 = service.protocol == aws::Protocol::ec2;
  const bool is_json = service.protocol == aws::Protocol::json;
  switch (failure.fault) {
    case SignatureFault::missing:
      if (is_ec2) {
        return refuse("AuthFailure", "AWS was not able to validate the provided access credentials",
                      401)
            .error();
      }
      return refuse(is_json ? "MissingAuthenticationTokenException" : "MissingAuthenticationToken",
                    "Request is missing Authentication Token", is_json ? 400 : 403)
          .error();
    case SignatureFault::expired:
    case SignatureFault::not_yet_current:
      if (is_json) return refuse("InvalidSignatureException", failure.detail).error();
      return refuse("RequestExpired", failure.detail, is_ec2 ? 400 : 403).error();
    case SignatureFault::malformed:
    case SignatureFault::unknown_key:
    case SignatureFault::wrong_scope:
    case SignatureFault::wrong_signature:
    case SignatureFault::wrong_body:
      if (is_ec2) {
        return refuse("AuthFailure", "AWS was not able to validate the provided access credentials",
                      401)
            .error();
      }
      if (is_json) return refuse("InvalidSignatureException", failure.detail).error();
      return refuse(failure.fault == SignatureFault::malformed ? "IncompleteSignature"
                                                               : "SignatureDoesNotMatch",
                    failure.detail, failure.fault == SignatureFault::malformed ? 400 : 403)
          .error();
  }
  std::unreachable();
}

HttpResponse answer(const aws::Service& service, int status, std::string body,
                    std::string_view request_id) {
  const bool json = service.protocol == aws::Protocol::json;
  return {
      .status = status,
      .headers = {{"content-type", json ? "application/x-amz-json-1.1" : "text/xml;charset=UTF-8"},
                  {"x-amzn-requestid", std::string{request_id}}},
      .body = std::move(body)};
}

HttpResponse error_answer(const aws::Service& service, const Error& error,
                          std::string_view request_id) {
  // What has no words of AWS's is the emulator's own trouble.
  const RemoteFault fault =
      error.remote.value_or(RemoteFault{.http_status = 500, .code = "InternalError"});
  const bool json = service.protocol == aws::Protocol::json;
  const bool internal = fault.code == "InternalError";
  return answer(service, fault.http_status,
                aws::write_error(service.protocol,
                                 {.code = internal && json ? "InternalServerError" : fault.code,
                                  .message = error.message,
                                  .request_id = std::string{request_id}}),
                request_id);
}

}  // namespace runctl::emulator
