#include "emulator/ec2/volume_rules.hpp"

#include <string>

#include <fmt/format.h>

#include "emulator/ec2/views.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {
namespace {

namespace wire = aws::ec2;

struct Range {
  std::int64_t least;
  std::int64_t most;
};

Result<void> check_range(std::string_view what, std::int64_t value, const Range& range,
                         std::string_view unit) {
  if (value < range.least) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume {} of {}{} is too low; minimum is {}{}.", what, value, unit,
                              range.least, unit));
  }
  if (value > range.most) {
    return refuse("InvalidParameterValue",
                  fmt::format("Volume {} of {}{} is too high; maximum is {}{}.", what, value, unit,
                              range.most, unit));
  }
  return {};
}

std::unexpected<Error> unsupported_for(const wire::VolumeLimits& type, std::string_view parameter) {
  return refuse(
      "InvalidParameterCombination",
      fmt::format("The parameter {} is not supported for {} volumes.", parameter, type.type));
}

Result<void> set_iops(Volume& volume, const wire::VolumeLimits& type,
                      std::optional<std::int64_t> wanted) {
  const std::int64_t size = volume.size.count;
  if (type.least_iops == 0) {
    if (wanted) return unsupported_for(type, "iops");
    volume.iops.reset();
    if (type.type == "gp2") volume.iops = gp2_iops(size);
    return {};
  }
  volume.iops = wanted;
  if (!volume.iops && type.type == "gp3") volume.iops = type.least_iops;
  if (!volume.iops) {
    return refuse("MissingParameter",
                  fmt::format("The parameter iops must be specified for {} volumes.", type.type));
  }
  RUNCTL_TRY(check_range("iops", *volume.iops, {type.least_iops, type.most_iops}, ""));
  if (*volume.iops > wire::most_iops(type, size)) {
    return refuse("InvalidParameterValue",
                  fmt::format("Iops to volume size ratio of {:.6f} is too high; maximum is {}.",
                              static_cast<double>(*volume.iops) / static_cast<double>(size),
                              type.iops_per_gib));
  }
  return {};
}

Result<void> set_throughput(Volume& volume, const wire::VolumeLimits& type,
                            std::optional<std::int64_t> wanted) {
  if (type.type != "gp3") {
    volume.throughput.reset();
    return wanted ? Result<void>{unsupported_for(type, "throughput")} : Result<void>{};
  }
  constexpr Range range{wire::gp3_least_throughput, wire::gp3_most_throughput};
  volume.throughput = wanted.value_or(range.least);
  RUNCTL_TRY(check_range("throughput", *volume.throughput, range, "MiB/s"));
  if (*volume.throughput * 4 > *volume.iops) {
    return refuse(
        "InvalidParameterValue",
        "Throughput (MiBps) to iops ratio is too high; maximum is 0.250000 MiBps per iops.");
  }
  return {};
}

}  // namespace

Result<const wire::VolumeLimits*> existing_type(std::string_view name) {
  if (const wire::VolumeLimits* const type = wire::limits_of(name)) return type;
  return refuse("UnknownVolumeType", fmt::format("Unsupported volume type '{}'.", name));
}

Result<void> set_shape(Volume& volume, const wire::VolumeLimits& type, const WantedShape& wanted) {
  if (wanted.size) {
    RUNCTL_TRY(check_range("size", *wanted.size, {type.least_gib, type.most_gib}, "GiB"));
    volume.size = GiB{static_cast<unsigned>(*wanted.size)};
  }
  RUNCTL_TRY(check_range("size", volume.size.count, {type.least_gib, type.most_gib}, "GiB"));
  volume.type = type.type;
  RUNCTL_TRY(set_iops(volume, type, wanted.iops));
  RUNCTL_TRY(set_throughput(volume, type, wanted.throughput));
  volume.multi_attach = wanted.multi_attach;
  // Source: ebs-facts, section 8.
  if (volume.multi_attach && !type.multi_attach) return unsupported_for(type, "MultiAttachEnabled");
  return {};
}

}  // namespace runctl::emulator::ec2
