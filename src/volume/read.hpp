// Asking EC2 for volumes, snapshots and machines, by id or by name.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "aws/client.hpp"
#include "base/result.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

// Errors: not_found when EC2 does not know the id; those of aws::Client::call.
[[nodiscard]] Result<VolumeFacts> read_volume(aws::Client& aws, const VolumeId& id,
                                              const aws::CallOptions& options);
[[nodiscard]] Result<SnapshotFacts> read_snapshot(aws::Client& aws, const SnapshotId& id,
                                                  const aws::CallOptions& options);
[[nodiscard]] Result<InstanceFacts> read_instance(aws::Client& aws, const InstanceId& id,
                                                  const aws::CallOptions& options);

// Every page, in EC2's order.
[[nodiscard]] Result<std::vector<VolumeFacts>> list_volumes(aws::Client& aws,
                                                            std::vector<aws::ec2::Filter> filters,
                                                            const aws::CallOptions& options);
[[nodiscard]] Result<std::vector<SnapshotFacts>> list_snapshots(
    aws::Client& aws, std::vector<aws::ec2::Filter> filters, const aws::CallOptions& options);
[[nodiscard]] Result<std::vector<InstanceFacts>> list_instances(
    aws::Client& aws, std::vector<aws::ec2::Filter> filters, const aws::CallOptions& options);

// `text` is an id, or the Name tag of exactly one of them; terminated instances and deleted volumes
// do not count. Errors: not_found; conflict, listing the candidates, when several have that name;
// invalid_argument for text that looks like an id and is none.
[[nodiscard]] Result<VolumeFacts> find_volume(aws::Client& aws, std::string_view text,
                                              const aws::CallOptions& options);
[[nodiscard]] Result<SnapshotFacts> find_snapshot(aws::Client& aws, std::string_view text,
                                                  const aws::CallOptions& options);
[[nodiscard]] Result<InstanceFacts> find_instance(aws::Client& aws, std::string_view text,
                                                  const aws::CallOptions& options);

// Nothing in it for a type that EC2 does not know. Source of the limit: docs, "Amazon EBS volume
// limits for Amazon EC2 instances"; EC2 is known to be wrong about some metal types (ebs-facts 5),
// so it only ever refuses, and AttachVolume decides.
[[nodiscard]] Result<InstanceTypeFacts> read_instance_type(aws::Client& aws,
                                                           std::string_view instance_type,
                                                           const aws::CallOptions& options);

}  // namespace runctl::volume
