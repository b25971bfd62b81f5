// The metadata service of machines, IMDSv2: what a machine can learn about itself without keys.
//
// Machines share the network of their host, and so have no 169.254.169.254 of their own. Each has a
// path on the emulator's server instead, and its commands find it in
// AWS_EC2_METADATA_SERVICE_ENDPOINT, which AWS's SDKs and runctl honour.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/ec2/instance.hpp"
#include "base/strong_id.hpp"
#include "base/time_text.hpp"
#include "emulator/ec2/spot.hpp"
#include "emulator/place.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

// Of the instance, below the server's root: "/_runctl/machines/i-0123…".
[[nodiscard]] std::string metadata_path(const InstanceId& instance);

struct MetadataTarget {
  std::string instance;  // as the URL has it, and perhaps no instance's id
  std::string path;      // "/latest/meta-data/instance-id"
};

// What of which machine a URL asks for; nothing of any when the request is for another service.
[[nodiscard]] std::optional<MetadataTarget> metadata_target(std::string_view url);

// What the service tells of: the machine as DescribeInstances shows it, where it is, and when EC2
// interrupts it.
struct MetadataSubject {
  aws::ec2::Instance instance;
  Place place;
  std::optional<ec2::SpotNotice> notice = {};
};

// The answer to one request. Tokens hold for one machine until they expire, also across a restart
// of the emulator as long as `secret` stays the same. Without a valid token every GET is refused
// (401), and one that came through a proxy too (403), as with HttpTokens=required.
// Source: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and
// "Instance metadata categories".
[[nodiscard]] HttpResponse answer_metadata(const HttpRequest& request, std::string_view path,
                                           const MetadataSubject& subject, std::string_view secret,
                                           Timestamp now);

}  // namespace runctl::emulator
