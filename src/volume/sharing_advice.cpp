#include "volume/sharing_advice.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "volume/prices.hpp"

namespace runctl::volume {
namespace {

using std::chrono::seconds;

// What a gp3 volume reads without extra cost. Source: docs, "Amazon EBS volume types".
constexpr double gp3_mibs = 125;
// The smallest number of IOPS with which an io2 volume reads 1,000 MiB/s in blocks of 256 KiB, and
// what 16 machines then share. Source: docs, "Amazon EBS volume types" (io2).
constexpr std::int64_t io2_iops = 4'000;
constexpr double io2_mibs = 1'000;
// Restored volumes load at their own pace, which AWS does not promise; the paid rate is 100 to 300
// MiB/s (ebs-facts 12). Taken: 100.
constexpr double restore_mibs = 100;
// A clone reads at most at 125 MiB/s until it is initialised (ebs-facts 12).
constexpr double clone_mibs = 125;
// One connection-rich client on a machine with 10 Gbit/s and a disk of 125 MiB/s to put it on.
constexpr double s3_mibs = 125;

double mib(GiB size) { return static_cast<double>(size.count) * 1024; }
seconds time_at(GiB size, double mibs) {
  return seconds{static_cast<std::int64_t>(mib(size) / mibs) + 1};
}
double gib(GiB size) { return static_cast<double>(size.count); }

double gp3_month(GiB size) { return volume_per_month({.type = "gp3", .size = size}).value_or(0); }

std::string writers_apart(const SharingNeeds& needs) {
  return needs.writers == 0 ? std::string{}
                            : "what one machine writes stays on its own copy: nobody else sees it";
}

SharingOption one_each(const SharingNeeds& needs) {
  const double machines = needs.readers + needs.writers;
  return {.id = "volumes",
          .name = "A volume each, filled from outside",
          .fits = true,
          .per_month = machines * gp3_month(needs.size),
          .until_readable = time_at(needs.size, gp3_mibs),
          .caution = writers_apart(needs),
          .sources = "EBS pricing (gp3); gp3 baseline of 125 MiB/s"};
}

SharingOption snapshots(const SharingNeeds& needs) {
  const double machines = needs.readers + needs.writers;
  return {.id = "snapshots",
          .name = "A volume each, restored from one snapshot",
          .fits = true,
          .per_month = machines * gp3_month(needs.size) + gib(needs.size) * snapshot_per_gib_month,
          .until_readable = time_at(needs.size, restore_mibs),
          .caution = needs.writers == 0 ? "first reads are slow until the blocks are there"
                                        : writers_apart(needs),
          .sources = "EBS pricing (gp3, snapshots); Initialize Amazon EBS volumes"};
}

SharingOption clones(const SharingNeeds& needs) {
  const double machines = needs.readers + needs.writers;
  SharingOption option{.id = "clones",
                       .name = "A clone each (CopyVolumes)",
                       .fits = needs.zones == 1,
                       .per_month = machines * gp3_month(needs.size),
                       .until_readable = time_at(needs.size, clone_mibs),
                       .caution = needs.writers == 0 ? "one copy of a volume is made at a time"
                                                     : writers_apart(needs),
                       .sources =
                           "EBS pricing (gp3), without the fee for copying; Copy an Amazon "
                           "EBS volume"};
  if (!option.fits) option.why_not = "a clone is made in its source's zone only";
  return option;
}

SharingOption sealed(const SharingNeeds& needs) {
  SharingOption option{
      .id = "sealed-multi-attach",
      .name = "One sealed io2 volume with Multi-Attach",
      .per_month =
          volume_per_month({.type = "io2", .size = needs.size, .iops = io2_iops}).value_or(0),
      .until_readable = time_at(needs.size, io2_mibs),
      .caution = "all machines share its 1,000 MiB/s; other tools attach it read-write",
      .sources = "EBS pricing (io2, 4,000 IOPS); Multi-Attach: 16 Nitro machines of one zone"};
  if (needs.writers > 0) {
    option.why_not =
        "sealed is read-only for everyone, and ext4 and XFS do not survive a writer "
        "beside readers";
  } else if (needs.zones > 1) {
    option.why_not = "Multi-Attach works within one zone only";
  } else if (needs.readers > 16) {
    option.why_not = "Multi-Attach takes 16 machines at most";
  } else if (needs.size.count < 4) {
    option.why_not = "an io2 volume has 4 GiB at least";
  }
  option.fits = option.why_not.empty();
  return option;
}

SharingOption s3(const SharingNeeds& needs) {
  return {.id = "s3",
          .name = "In S3, read by every machine",
          .fits = true,
          .per_month = gib(needs.size) * s3_standard_per_gib_month,
          .until_readable = time_at(needs.size, s3_mibs),
          .caution =
              "objects, not a filesystem: read through a library, or copied to a disk first; "
              "requests cost extra",
          .sources = "S3 pricing (Standard); time for a copy to a gp3 volume"};
}

constexpr std::array ways{one_each, snapshots, clones, sealed, s3};

}  // namespace

std::vector<SharingOption> sharing_advice(const SharingNeeds& needs) {
  const auto before = [](const SharingOption& a, const SharingOption& b) {
    if (a.fits != b.fits) return a.fits;
    return a.per_month < b.per_month;
  };
  std::vector<SharingOption> options;
  options.reserve(ways.size());
  for (const auto way : ways) {
    auto option = way(needs);
    const auto place = std::ranges::upper_bound(options, option, before);
    options.insert(place, std::move(option));
  }
  return options;
}

}  // namespace runctl::volume
