// What a call to AWS is, apart from its parameters.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace runctl::aws {

// How a service writes requests and answers. Source: "protocol" in each service's model.
enum class Protocol : std::uint8_t {
  ec2,       // form-encoded request, lists flattened as Name.1; XML answer
  query,     // form-encoded request, lists as Name.member.1; XML answer in <ActionResult>
  json,      // JSON both ways, the action in X-Amz-Target
  rest_xml,  // method, path, query and headers say what is asked; XML bodies (codec_rest.hpp)
};

struct Service {
  std::string_view id;            // "ec2": the signing name
  std::string_view endpoint_key;  // "EC2", as in AWS_ENDPOINT_URL_EC2
  std::string_view api_version = {};
  Protocol protocol = Protocol::query;
  std::string_view xml_namespace = {};
  std::string_view target_prefix = {};  // JSON: "AmazonSSM", before the dot of X-Amz-Target
  std::string_view host = {};           // the endpoint's first labels, where they are not `id`
};

enum class Signed : bool { no, yes };

struct OperationInfo {
  const Service& service;
  std::string_view name;
  // Whether sending it twice is the same as sending it once: it only reads, or it carries a client
  // token.
  Idempotent idempotent = Idempotent::no;
  Signed is_signed = Signed::yes;  // "authtype" in the service's model
};

// Whether it only reads. What changes something has another verb, in all of AWS's models. To assume
// a role leaves nothing behind either.
[[nodiscard]] constexpr bool only_reads(std::string_view operation) {
  return operation.starts_with("Describe") || operation.starts_with("Get") ||
         operation.starts_with("List") || operation.starts_with("AssumeRole");
}

inline constexpr Service ec2_service{.id = "ec2",
                                     .endpoint_key = "EC2",
                                     .api_version = "2016-11-15",
                                     .protocol = Protocol::ec2,
                                     .xml_namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"};
inline constexpr Service sts_service{.id = "sts",
                                     .endpoint_key = "STS",
                                     .api_version = "2011-06-15",
                                     .protocol = Protocol::query,
                                     .xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/"};
inline constexpr Service ssm_service{.id = "ssm",
                                     .endpoint_key = "SSM",
                                     .api_version = "2014-11-06",
                                     .protocol = Protocol::json,
                                     .target_prefix = "AmazonSSM"};
inline constexpr Service s3_service{.id = "s3",
                                    .endpoint_key = "S3",
                                    .api_version = "2006-03-01",
                                    .protocol = Protocol::rest_xml,
                                    .xml_namespace = "http://s3.amazonaws.com/doc/2006-03-01/"};
// Two that are only asked for credentials (credentials/sso.hpp), each with one plain request.
inline constexpr Service sso_service{.id = "sso", .endpoint_key = "SSO", .host = "portal.sso"};
inline constexpr Service sso_oidc_service{
    .id = "sso-oidc", .endpoint_key = "SSO_OIDC", .host = "oidc"};

}  // namespace runctl::aws
