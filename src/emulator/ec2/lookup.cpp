#include "emulator/ec2/lookup.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

constexpr std::size_t most_tags = 50;
constexpr std::size_t longest_key = 128;
constexpr std::size_t longest_value = 256;

// In characters, as AWS counts: every byte of UTF-8 that does not continue one.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

struct Wording {
  std::string_view parameter;
  std::string_view malformed;
  std::string_view not_found;
  std::string_view noun;
};

template <class Id, class Record>
Result<Id> existing(const Table<Id, Record>& table, std::string_view text, const Wording& wording) {
  if (text.empty()) return missing(wording.parameter);
  auto id = Id::parse(text);
  if (!id) return refuse(wording.malformed, fmt::format("Invalid id: \"{}\"", text));
  if (table.find(*id) == nullptr) {
    return refuse(wording.not_found,
                  fmt::format("The {} '{}' does not exist.", wording.noun, text));
  }
  return *std::move(id);
}

}  // namespace

std::unexpected<Error> missing(std::string_view parameter) {
  return refuse("MissingParameter",
                fmt::format("The request must contain the parameter {}", parameter));
}

Result<VolumeId> existing_volume(const State& state, std::string_view text) {
  return existing(state.volumes, text,
                  {.parameter = "volumeId",
                   .malformed = "InvalidVolumeID.Malformed",
                   .not_found = "InvalidVolume.NotFound",
                   .noun = "volume"});
}

Result<SnapshotId> existing_snapshot(const State& state, std::string_view text) {
  return existing(state.snapshots, text,
                  {.parameter = "snapshotId",
                   .malformed = "InvalidSnapshotID.Malformed",
                   .not_found = "InvalidSnapshot.NotFound",
                   .noun = "snapshot"});
}

Result<InstanceId> existing_instance(const State& state, std::string_view text) {
  return existing(state.instances, text,
                  {.parameter = "instanceId",
                   .malformed = "InvalidInstanceID.Malformed",
                   .not_found = "InvalidInstanceID.NotFound",
                   .noun = "instance ID"});
}

Result<void> check_spot_request(const State& state, const std::string& id) {
  if (!id.starts_with("sir-")) {
    return refuse("InvalidSpotInstanceRequestID.Malformed", fmt::format("Invalid id: \"{}\"", id));
  }
  if (state.spot_requests.find(id) == nullptr) {
    return refuse("InvalidSpotInstanceRequestID.NotFound",
                  fmt::format("The spot instance request ID '{}' does not exist", id));
  }
  return {};
}

Result<void> put_tags(Tags& tags, std::span<const aws::ec2::Tag> added) {
  Tags seen;
  for (const aws::ec2::Tag& tag : added) {
    const std::string value = tag.value.value_or("");
    if (tag.key.empty()) return missing("Tag.Key");
    if (characters(tag.key) > longest_key) {
      return refuse(
          "InvalidParameterValue",
          fmt::format("Tag key exceeds the maximum length of {} characters", longest_key));
    }
    if (characters(value) > longest_value) {
      return refuse(
          "InvalidParameterValue",
          fmt::format("Tag value exceeds the maximum length of {} characters", longest_value));
    }
    if (lower(tag.key).starts_with("aws:")) {
      return refuse("InvalidParameterValue",
                    "Tag keys starting with 'aws:' are reserved for internal use");
    }
    if (!seen.emplace(tag.key, value).second) {
      return refuse("InvalidParameterValue",
                    fmt::format("Duplicate tag key '{}' specified.", tag.key));
    }
    tags[tag.key] = value;
  }
  if (tags.size() > most_tags) {
    return refuse("TagLimitExceeded",
                  "The maximum number of Tags for a resource has been reached.");
  }
  return {};
}

Result<Tags> tags_for(std::string_view type,
                      std::span<const aws::ec2::TagSpecification> specifications,
                      std::span<const std::string_view> allowed) {
  Tags tags;
  for (const aws::ec2::TagSpecification& specification : specifications) {
    if (std::ranges::find(allowed, specification.resource_type) == allowed.end()) {
      return refuse("InvalidParameterValue",
                    fmt::format("'{}' is not a valid taggable resource type for this operation.",
                                specification.resource_type));
    }
    if (specification.resource_type == type) RUNCTL_TRY(put_tags(tags, specification.tags));
  }
  return tags;
}

std::string fingerprint_of(const aws::OperationInfo& operation, const aws::WriteMembers& members) {
  return hex(sha256(aws::write_request(operation, members)));
}

Result<std::optional<std::string>> first_answer(const State& state, const std::string& key,
                                                std::string_view fingerprint) {
  const Token* const token = state.tokens.find(key);
  if (token == nullptr) return std::nullopt;
  if (token->fingerprint == fingerprint) return token->answer;
  return refuse("IdempotentParameterMismatch",
                "The client token has been used before, with other parameters.");
}

}  // namespace runctl::emulator::ec2
