#include "volume/read.hpp"

#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "aws/ec2/instance_type.hpp"

namespace runctl::volume {
namespace {

using aws::CallOptions;
namespace ec2 = aws::ec2;

// Follows NextToken to the last page. Errors: corrupt when a page comes a second time.
template <class Operation, class Fact, class Wires>
Result<std::vector<Fact>> read_pages(aws::Client& aws, typename Operation::Request request,
                                     const CallOptions& options, const Wires& wires_of) {
  std::vector<Fact> all;
  std::set<std::string> seen;
  while (true) {
    RUNCTL_TRY_LET(const auto page, aws.call<Operation>(request, options));
    for (const auto& wire : wires_of(page)) {
      RUNCTL_TRY_LET(auto fact, to_facts(wire));
      all.push_back(std::move(fact));
    }
    if (page.next_token.empty()) return all;
    if (!seen.insert(page.next_token).second) {
      return fail(Errc::corrupt, fmt::format("{} goes round in circles: a page comes again",
                                             Operation::info.name));
    }
    request.next_token = page.next_token;
  }
}

std::vector<ec2::Instance> instances_of(const ec2::DescribeInstancesResult& page) {
  std::vector<ec2::Instance> all;
  for (const auto& reservation : page.reservations) {
    all.insert(all.end(), reservation.instances.begin(), reservation.instances.end());
  }
  return all;
}

template <class Fact>
Result<Fact> only(std::vector<Fact> found, std::string_view noun, std::string_view id) {
  if (found.size() == 1) return std::move(found.front());
  return fail(Errc::not_found,
              fmt::format("there is no {} {} in this account and region", noun, id));
}

std::vector<ec2::Filter> by_name(std::string_view name) {
  return {{.name = "tag:Name", .values = {std::string{name}}}};
}

template <class Fact>
Result<Fact> only_named(std::vector<Fact> found, std::string_view noun, std::string_view name) {
  if (found.empty()) {
    auto missing =
        fail(Errc::not_found,
             fmt::format("there is no {} named '{}' in this account and region", noun, name));
    missing.error().hint =
        "Look at the region (--region), the profile (--profile) and the spelling.";
    return missing;
  }
  if (found.size() == 1) return std::move(found.front());
  auto ambiguous =
      fail(Errc::conflict, fmt::format("{} {}s are named '{}'", found.size(), noun, name));
  ambiguous.error().hint = "Use the id of the one that you mean:";
  for (const Fact& fact : found) ambiguous.error().details.push_back(fact.id.str());
  return ambiguous;
}

// A tag filter takes * and ? for wildcards; a name is meant to the letter.
template <class Fact>
void keep_named(std::vector<Fact>& found, std::string_view name) {
  std::erase_if(found, [&](const Fact& fact) { return tag_value(fact.tags, tag::name) != name; });
}

}  // namespace

Result<VolumeFacts> read_volume(aws::Client& aws, const VolumeId& id, const CallOptions& options) {
  RUNCTL_TRY_LET(auto found, (read_pages<ec2::DescribeVolumes, VolumeFacts>(
                                 aws, {.volume_ids = {id.str()}}, options,
                                 [](const auto& page) -> const auto& { return page.volumes; })));
  return only(std::move(found), "volume", id.str());
}

Result<SnapshotFacts> read_snapshot(aws::Client& aws, const SnapshotId& id,
                                    const CallOptions& options) {
  RUNCTL_TRY_LET(auto found, (read_pages<ec2::DescribeSnapshots, SnapshotFacts>(
                                 aws, {.snapshot_ids = {id.str()}}, options,
                                 [](const auto& page) -> const auto& { return page.snapshots; })));
  return only(std::move(found), "snapshot", id.str());
}

Result<InstanceFacts> read_instance(aws::Client& aws, const InstanceId& id,
                                    const CallOptions& options) {
  RUNCTL_TRY_LET(auto found, (read_pages<ec2::DescribeInstances, InstanceFacts>(
                                 aws, {.instance_ids = {id.str()}}, options, instances_of)));
  return only(std::move(found), "instance", id.str());
}

Result<std::vector<VolumeFacts>> list_volumes(aws::Client& aws, std::vector<ec2::Filter> filters,
                                              const CallOptions& options) {
  return read_pages<ec2::DescribeVolumes, VolumeFacts>(
      aws, {.filters = std::move(filters), .max_results = 500}, options,
      [](const auto& page) -> const auto& { return page.volumes; });
}

Result<std::vector<SnapshotFacts>> list_snapshots(aws::Client& aws,
                                                  std::vector<ec2::Filter> filters,
                                                  const CallOptions& options) {
  return read_pages<ec2::DescribeSnapshots, SnapshotFacts>(
      aws, {.owner_ids = {"self"}, .filters = std::move(filters), .max_results = 500}, options,
      [](const auto& page) -> const auto& { return page.snapshots; });
}

Result<std::vector<InstanceFacts>> list_instances(aws::Client& aws,
                                                  std::vector<ec2::Filter> filters,
                                                  const CallOptions& options) {
  return read_pages<ec2::DescribeInstances, InstanceFacts>(
      aws, {.filters = std::move(filters), .max_results = 500}, options, instances_of);
}

Result<VolumeFacts> find_volume(aws::Client& aws, std::string_view text,
                                const CallOptions& options) {
  if (text.starts_with(VolumeIdKind::prefix)) {
    RUNCTL_TRY_LET(const auto id, VolumeId::parse(text));
    return read_volume(aws, id, options);
  }
  RUNCTL_TRY_LET(auto found, list_volumes(aws, by_name(text), options));
  keep_named(found, text);
  std::erase_if(found, [](const VolumeFacts& volume) {
    return volume.state == VolumeState::deleting || volume.state == VolumeState::deleted;
  });
  return only_named(std::move(found), "volume", text);
}

Result<SnapshotFacts> find_snapshot(aws::Client& aws, std::string_view text,
                                    const CallOptions& options) {
  if (text.starts_with(SnapshotIdKind::prefix)) {
    RUNCTL_TRY_LET(const auto id, SnapshotId::parse(text));
    return read_snapshot(aws, id, options);
  }
  RUNCTL_TRY_LET(auto found, list_snapshots(aws, by_name(text), options));
  keep_named(found, text);
  return only_named(std::move(found), "snapshot", text);
}

Result<InstanceFacts> find_instance(aws::Client& aws, std::string_view text,
                                    const CallOptions& options) {
  if (text.starts_with(InstanceIdKind::prefix)) {
    RUNCTL_TRY_LET(const auto id, InstanceId::parse(text));
    return read_instance(aws, id, options);
  }
  RUNCTL_TRY_LET(auto found, list_instances(aws, by_name(text), options));
  keep_named(found, text);
  std::erase_if(found, [](const InstanceFacts& instance) {
    return instance.state == InstanceState::terminated ||
           instance.state == InstanceState::shutting_down;
  });
  return only_named(std::move(found), "instance", text);
}

Result<InstanceTypeFacts> read_instance_type(aws::Client& aws, std::string_view instance_type,
                                             const CallOptions& options) {
  RUNCTL_TRY_LET(const auto answer, aws.call<ec2::DescribeInstanceTypes>(
                                        {.instance_types = {std::string{instance_type}}}, options));
  InstanceTypeFacts facts;
  if (answer.instance_types.size() != 1) return facts;
  const auto& type = answer.instance_types.front();
  // Metal machines have no hypervisor, and are Nitro all the same.
  if (!type.hypervisor.empty()) facts.nitro = type.hypervisor == "nitro";
  if (!type.ebs_info) return facts;
  const auto limit = type.ebs_info->maximum_ebs_attachments;
  if (limit && *limit >= 1 && *limit <= 1'000)
    facts.attachment_limit = static_cast<unsigned>(*limit);
  if (!type.ebs_info->encryption_support.empty()) {
    facts.takes_encrypted = type.ebs_info->encryption_support == "supported";
  }
  return facts;
}

}  // namespace runctl::volume
