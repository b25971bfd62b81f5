#include "volume/clone.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/ec2/volume_copy.hpp"
#include "io/random.hpp"
#include "volume/read.hpp"

namespace runctl::volume {
namespace {

aws::ec2::CopyVolumesRequest request_for(const VolumeFacts& source, const CloneSpec& spec,
                                         const std::string& token) {
  aws::ec2::TagSpecification tags{.resource_type = "volume", .tags = {}};
  for (const auto& [key, value] : spec.tags) tags.tags.push_back({.key = key, .value = value});
  tags.tags.push_back({.key = std::string{tag::operation}, .value = token});
  for (const std::string_view kept : {tag::manifest, tag::needs_check}) {
    const bool is_stale = kept == tag::manifest && mode_of(source) != VolumeMode::sealed;
    if (is_stale || !source.tags.contains(kept)) continue;
    tags.tags.push_back({.key = std::string{kept}, .value = tag_value(source.tags, kept)});
  }
  // Type and speed are not the source's unless they are said (ebs-facts 12).
  const bool has_chosen_speed = source.type == "gp3" || source.type.starts_with("io");
  return {.source_volume_id = source.id.str(),
          .volume_type = source.type,
          .iops = has_chosen_speed ? source.iops : std::nullopt,
          .throughput = source.type == "gp3" ? source.throughput : std::nullopt,
          .tag_specifications = {std::move(tags)},
          .client_token = token};
}

Result<VolumeFacts> the_copy(const aws::ec2::CopyVolumesResult& answer, const VolumeId& source) {
  if (answer.volumes.size() != 1) {
    auto wrong = fail(Errc::corrupt, fmt::format("EC2 made {} copies of {} where one was asked for",
                                                 answer.volumes.size(), source));
    wrong.error().effect = Effect::applied;
    return wrong;
  }
  return to_facts(answer.volumes.front());
}

}  // namespace

std::optional<Error> check_clone(const VolumeFacts& source) {
  if (source.state == VolumeState::available || source.state == VolumeState::in_use) {
    return std::nullopt;
  }
  return Error{.code = Errc::conflict,
               .message = fmt::format("Volume {} is '{}', and cannot be copied.", source.id,
                                      name_of(source.state)),
               .hint = "Only a volume that is available or in use can.",
               .section = "EBS_CONCURRENT_ACCESS.md#volume-states"};
}

Result<Cloned> execute_clone(const Change& change, const VolumeFacts& source,
                             const CloneSpec& spec) {
  const Session& session = change.session;
  const auto request = request_for(source, spec, random_uuid(session.random));
  RUNCTL_TRY_LET(Standstill still, Standstill::begin(change, source, spec.freezing));
  const Session brief = while_still(session, still);
  session.progress(fmt::format("copying {}", source.id));
  auto sent = send<aws::ec2::CopyVolumes>({.session = brief, .recorder = change.recorder}, request);
  still.end();
  const bool in_time = sent.has_value();
  // The token makes it one copy however often it is asked for.
  if (!sent && sent.error().effect == Effect::unknown) {
    sent = send<aws::ec2::CopyVolumes>(change, request);
  }
  if (!sent) return std::unexpected{std::move(sent).error()};
  for (const auto& volume : sent->volumes) change.recorder.add_subject(volume.volume_id);
  RUNCTL_TRY_LET(auto copy, the_copy(*sent, source.id));
  Cloned cloned{.volume = std::move(copy), .worth = worth_of(still, in_time)};
  const auto labelled = label(change, cloned.volume.id.str(), cloned.worth.consistency);
  if (!labelled) cloned.worth = without_label(cloned.worth, labelled.error());
  return cloned;
}

}  // namespace runctl::volume
