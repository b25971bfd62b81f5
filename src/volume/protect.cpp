#include "volume/protect.hpp"

#include "aws/ec2/tags.hpp"

namespace runctl::volume {

Protection protection_of(const VolumeFacts& volume) {
  return volume.tags.contains(tag::is_protected) ? Protection::on : Protection::off;
}

Result<void> execute_protect(const Change& change, const VolumeId& volume, Protection protection) {
  if (protection == Protection::on) {
    RUNCTL_TRY(send<aws::ec2::CreateTags>(
        change, {.resources = {volume.str()},
                 .tags = {{.key = std::string{tag::is_protected}, .value = "true"}}}));
    return {};
  }
  RUNCTL_TRY(send<aws::ec2::DeleteTags>(
      change, {.resources = {volume.str()}, .tags = {{.key = std::string{tag::is_protected}}}}));
  return {};
}

}  // namespace runctl::volume
