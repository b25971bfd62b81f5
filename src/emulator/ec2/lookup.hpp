// What several actions do with their parameters.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "aws/codec.hpp"
#include "aws/ec2/tags.hpp"
#include "base/result.hpp"
#include "emulator/ec2/state.hpp"

namespace runctl::emulator::ec2 {

// MissingParameter.
[[nodiscard]] std::unexpected<Error> missing(std::string_view parameter);

// Errors: InvalidVolumeID.Malformed, InvalidVolume.NotFound and their like; MissingParameter for
// "".
[[nodiscard]] Result<VolumeId> existing_volume(const State& state, std::string_view text);
[[nodiscard]] Result<SnapshotId> existing_snapshot(const State& state, std::string_view text);
[[nodiscard]] Result<InstanceId> existing_instance(const State& state, std::string_view text);
// Whether there is such a spot request. Errors: InvalidSpotInstanceRequestID.Malformed and
// .NotFound.
[[nodiscard]] Result<void> check_spot_request(const State& state, const std::string& id);

// Adds `added` to `tags`. Errors: TagLimitExceeded, InvalidParameterValue.
// Source: EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
[[nodiscard]] Result<void> put_tags(Tags& tags, std::span<const aws::ec2::Tag> added);

// The tags for a new resource of `type`. Errors: as put_tags; InvalidParameterValue for a
// specification of a type that is not among `allowed`.
[[nodiscard]] Result<Tags> tags_for(std::string_view type,
                                    std::span<const aws::ec2::TagSpecification> specifications,
                                    std::span<const std::string_view> allowed);

// Identity of a request's parameters, for client tokens. The token itself must be blank in it.
[[nodiscard]] std::string fingerprint_of(const aws::OperationInfo& operation,
                                         const aws::WriteMembers& members);

// What was answered to the first use of `key`, as JSON; nothing when this is the first.
// Errors: IdempotentParameterMismatch when the parameters were others. Source: ebs-facts,
// section 3.
[[nodiscard]] Result<std::optional<std::string>> first_answer(const State& state,
                                                              const std::string& key,
                                                              std::string_view fingerprint);

// An id of 17 random digits that is not in use.
template <class Id, class Record>
[[nodiscard]] Id new_id(Turn& turn, std::string_view prefix, const Table<Id, Record>& table) {
  while (true) {
    const auto id = Id::parse(std::string{prefix} + random_hex(turn.random, 17));
    if (id && table.find(*id) == nullptr) return *id;
  }
}

}  // namespace runctl::emulator::ec2
