// Machine images. Whatever is launched here runs on the host's own system; these are for the tools
// that look an image up before they launch it.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "emulator/ec2/actions.hpp"
#include "emulator/ec2/filters.hpp"
#include "emulator/ec2/network.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

using I = wire::Image;

struct PublicImage {
  std::string_view name;
  std::string_view description;
  std::string_view owner;
  std::string_view alias;
  std::string_view created;
  std::string_view root_device;
};

// Names in the form that their makers use, so that a lookup by name finds them.
constexpr auto public_images = std::to_array<PublicImage>({
    {"al2023-ami-2023.6.20250115.0-kernel-6.1-x86_64", "Amazon Linux 2023 AMI", "137112412989",
     "amazon", "2025-01-15T00:00:00.000Z", "/dev/xvda"},
    {"amzn2-ami-kernel-5.10-hvm-2.0.20250116.0-x86_64-gp2", "Amazon Linux 2 AMI", "137112412989",
     "amazon", "2025-01-16T00:00:00.000Z", "/dev/xvda"},
    {"debian-12-amd64-20250115-1993", "Debian 12", "136693071363", "", "2025-01-15T00:00:00.000Z",
     "/dev/xvda"},
    {"Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20250117",
     "Deep Learning Base AMI", "898082745236", "amazon", "2025-01-17T00:00:00.000Z", "/dev/sda1"},
    {"ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20250112", "Ubuntu 22.04",
     "099720109477", "", "2025-01-12T00:00:00.000Z", "/dev/sda1"},
});

constexpr auto image_filters = std::to_array<FilterField<I>>({
    {"name", [](const I& i) { return std::vector{i.name}; }},
    {"description", [](const I& i) { return std::vector{i.description}; }},
    {"image-id", [](const I& i) { return std::vector{i.image_id}; }},
    {"owner-id", [](const I& i) { return std::vector{i.owner_id}; }},
    {"owner-alias", [](const I& i) { return std::vector{i.owner_alias}; }},
    {"state", [](const I& i) { return std::vector{i.state}; }},
    {"architecture", [](const I& i) { return std::vector{i.architecture}; }},
    {"image-type", [](const I& i) { return std::vector{i.type}; }},
    {"is-public", [](const I&) { return std::vector<std::string>{"true"}; }},
    {"root-device-type", [](const I& i) { return std::vector{i.root_device_type}; }},
    {"root-device-name", [](const I& i) { return std::vector{i.root_device_name}; }},
    {"virtualization-type", [](const I& i) { return std::vector{i.virtualization_type}; }},
    {"hypervisor", [](const I& i) { return std::vector{i.hypervisor}; }},
});

std::vector<I> images_of(const Place& place) {
  // An image has one id for all accounts.
  const Place everybody{.account = "", .region = place.region};
  std::vector<I> images;
  images.reserve(public_images.size());
  for (const PublicImage& image : public_images) {
    images.push_back({.image_id = stable_id("ami-", everybody, image.name),
                      .name = std::string{image.name},
                      .description = std::string{image.description},
                      .state = "available",
                      .owner_id = std::string{image.owner},
                      .owner_alias = std::string{image.alias},
                      .location = fmt::format("{}/{}", image.owner, image.name),
                      .is_public = true,
                      .architecture = "x86_64",
                      .type = "machine",
                      .platform_details = "Linux/UNIX",
                      .creation_date = std::string{image.created},
                      .root_device_name = std::string{image.root_device},
                      .root_device_type = "ebs",
                      .virtualization_type = "hvm",
                      .hypervisor = "xen"});
  }
  std::ranges::sort(images, {}, &I::image_id);
  return images;
}

// "self", "amazon", an account.
bool is_owned(const I& image, const std::vector<std::string>& owners, const Place& place) {
  return owners.empty() || std::ranges::any_of(owners, [&](const std::string& owner) {
           return owner == image.owner_id || owner == image.owner_alias ||
                  (owner == "self" && image.owner_id == place.account);
         });
}

}  // namespace

Result<wire::DescribeImagesResult> describe_images(Turn& turn,
                                                   const wire::DescribeImagesRequest& request) {
  std::vector<I> images = images_of(turn.place);
  const auto& wanted = request.image_ids;
  for (const std::string& id : wanted) {
    if (!id.starts_with("ami-")) {
      return refuse("InvalidAMIID.Malformed",
                    fmt::format(R"(Invalid id: "{}" (expecting "ami-..."))", id));
    }
    if (std::ranges::find(images, id, &I::image_id) == images.end()) {
      return refuse("InvalidAMIID.NotFound", fmt::format("The image id '[{}]' does not exist", id));
    }
  }
  std::erase_if(images, [&](const I& image) {
    const bool unnamed =
        !wanted.empty() && std::ranges::find(wanted, image.image_id) == wanted.end();
    return unnamed || !is_owned(image, request.owners, turn.place);
  });
  RUNCTL_TRY(keep_matching<I>(images, request.filters, image_filters));
  wire::DescribeImagesResult result;
  RUNCTL_TRY_LET(result.next_token, page_of(images, request, wanted, &I::image_id));
  result.images = std::move(images);
  return result;
}

}  // namespace runctl::emulator::ec2
