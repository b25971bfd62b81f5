// What two machines that write one volume do to it, on a volume that is there for nothing else
#include <array>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "aws/ec2/volume.hpp"
#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/quickstart/tours.hpp"
#include "volume/read.hpp"
#include "volume/wait.hpp"

namespace runctl::cli {
namespace {

constexpr unsigned files_each = 300;
constexpr std::string_view device = "/dev/nvme1n1";  // a machine's only data volume

struct Scratch {
  Tour& tour;
  std::array<TourMachine, 2> machines;
  VolumeId volume;
};

Result<Scratch> prepare(Tour& tour) {
  std::vector<TourMachine> machines;
  for (const std::string name : {"writer-1", "writer-2"}) {
    RUNCTL_TRY_LET(const auto text,
                   tour.run_for_id({"aws", "create", "t3.medium", "--name", name,
                                    "--availability-zone", "us-east-1a", "--wait"}));
    RUNCTL_TRY_LET(auto id, InstanceId::parse(text));
    machines.push_back({.name = name, .id = std::move(id)});
  }
  RUNCTL_TRY_LET(const auto text,
                 tour.run_for_id({"aws", "ebs", "create", "--size", "4", "--type", "io2", "--iops",
                                  "100", "--multi-attach", "--name", "scratch"}));
  RUNCTL_TRY_LET(auto volume, VolumeId::parse(text));
  return Scratch{.tour = tour,
                 .machines = {std::move(machines[0]), std::move(machines[1])},
                 .volume = std::move(volume)};
}

// EC2's own call, without any of runctl's guards, as AWS's tools send it; and waits until the
// machine has the device.
Result<void> attach_unguarded(const Scratch& scratch, const TourMachine& machine) {
  scratch.tour.show_command({"aws", "ec2", "attach-volume", "--volume-id", scratch.volume.str(),
                             "--instance-id", machine.id.str(), "--device", "/dev/sdf"});
  std::ostringstream screen;
  Context inner = scratch.tour.on_cloud(screen);
  RUNCTL_TRY_LET(const auto cloud, connect(inner));
  const auto session = cloud->session();
  RUNCTL_TRY(cloud->carry_out(
      session, {.kind = "attach", .subjects = {scratch.volume.str(), machine.id.str()}},
      [&](const volume::Change& change) {
        return volume::send<aws::ec2::AttachVolume>(change, {.volume_id = scratch.volume.str(),
                                                             .instance_id = machine.id.str(),
                                                             .device = "/dev/sdf"});
      }));
  RUNCTL_TRY_LET(const auto state,
                 volume::wait_for<std::string>(
                     session, {}, fmt::format("{} to have the volume", machine.name),
                     [&]() -> Result<std::optional<std::string>> {
                       RUNCTL_TRY_LET(
                           const auto seen,
                           volume::read_volume(cloud->aws(), scratch.volume, session.options()));
                       const auto* here = volume::attachment_to(seen, machine.id);
                       if (here == nullptr || here->state != volume::AttachmentState::attached)
                         return std::nullopt;
                       return std::string{volume::name_of(here->state)};
                     }));
  scratch.tour.show_answer(state);
  return {};
}

std::string writing(std::string_view name) {
  return fmt::format(
      "mkdir /scratch/{0} && for i in $(seq {1}); do\n"
      "    echo \"record $i of {0}\" >/scratch/{0}/$i || exit 1; done; sync\n"
      "  ls /scratch/{0} | wc -l",
      name, files_each);
}

Result<void> write_from_both(const Scratch& scratch) {
  Tour& tour = scratch.tour;
  const auto& [first, second] = scratch.machines;
  tour.say("EC2 lets each of them write: its API has no other way of attaching.");
  RUNCTL_TRY(attach_unguarded(scratch, first));
  RUNCTL_TRY(attach_unguarded(scratch, second));
  tour.say("One makes the filesystem, and both mount it. Neither kernel complains:");
  RUNCTL_TRY(tour.type(first, fmt::format("mkfs.ext4 -q {}", device)));
  for (const TourMachine& machine : scratch.machines) {
    RUNCTL_TRY(tour.type(machine, fmt::format("mkdir -p /scratch && mount {} /scratch", device)));
  }
  tour.say(
      fmt::format("Both write {} files at the same time, each into a directory of its own, and "
                  "sync. Again nobody complains: each counts its {} files.",
                  files_each, files_each));
  RUNCTL_TRY(tour.type_at_once(scratch.machines, {writing(first.name), writing(second.name)}));
  for (const TourMachine& machine : scratch.machines) {
    RUNCTL_TRY(tour.type(machine, "umount /scratch"));
  }
  return {};
}

// Returns whether e2fsck found nothing to mend.
Result<bool> check(const Scratch& scratch) {
  // e2fsck's exit status is 0 for a clean filesystem, 1 or 2 for a mended one, more for one that it
  // could not mend (e2fsck(8)). All of them are answers. What it says may be thousands of lines:
  // the first 14 are shown, and the last.
  const std::array<std::string, 3> commands{
      fmt::format("e2fsck -fy {} >/tmp/said 2>&1; echo \"exit $?\" >>/tmp/said", device),
      "sed '15,${$!d}' /tmp/said", "wc -l </tmp/said"};
  RUNCTL_TRY_LET(const auto typed, scratch.tour.type(scratch.machines[0], commands));
  const std::string_view said = trim(typed[1].said);
  const std::string_view end = said.substr(said.rfind('\n') + 1);
  if (!end.starts_with("exit ")) return fail(Errc::corrupt, "e2fsck did not run to its end");
  return end == "exit 0";
}

// What is left of each machine's records, wherever e2fsck may have put them. A record counts when
// its content is right.
Result<std::array<unsigned, 2>> count(const Scratch& scratch) {
  const TourMachine& reader = scratch.machines[0];
  RUNCTL_TRY(scratch.tour.type(reader, fmt::format("mount -o ro {} /scratch", device)));
  std::array<unsigned, 2> left{};
  for (std::size_t i = 0; i < left.size(); ++i) {
    RUNCTL_TRY_LET(
        const auto said,
        scratch.tour.type(reader, fmt::format("grep -rhsx 'record [0-9]* of {}' /scratch | sort -u "
                                              "| wc -l",
                                              scratch.machines.at(i).name)));
    const std::string_view text = trim(said);
    std::from_chars(text.data(), text.data() + text.size(), left.at(i));
  }
  RUNCTL_TRY(scratch.tour.type(reader, "umount /scratch"));
  return left;
}

}  // namespace

Result<void> show_corruption(Tour& tour) {
  tour.say(
      "WHAT FOLLOWS DESTROYS A FILESYSTEM ON PURPOSE. It is a scratch volume of a cloud of its own "
      "on this machine, made for this and removed afterwards; nothing of yours is touched. All of "
      "it is done behind runctl's back, which would refuse it.");
  tour.step("Two machines, and a scratch volume with Multi-Attach");
  RUNCTL_TRY_LET(const auto scratch, prepare(tour));
  tour.step("Both mount one ext4 and write it at the same time");
  RUNCTL_TRY(write_from_both(scratch));
  tour.step("What e2fsck says of it, and mends");
  RUNCTL_TRY_LET(const bool clean, check(scratch));
  tour.step("What is left of the files");
  RUNCTL_TRY_LET(const auto left, count(scratch));
  const auto& [first, second] = scratch.machines;
  if (left[0] + left[1] >= 2 * files_each) {
    return fail(Errc::corrupt,
                "this time nothing was lost: the two did not get in each other's way");
  }
  tour.say(fmt::format(
      "What was shown:\n"
      "- Of {0} files that {1} wrote and synced, {2} are left; of {0} of {3}, {4}. {5} of {6} are "
      "lost.\n"
      "- No write, no sync and no mount failed: nobody was told.\n"
      "- e2fsck {7}\n"
      "- runctl refuses the second attachment before EC2 is asked: runctl help held-volume",
      files_each, first.name, left[0], second.name, left[1], 2 * files_each - left[0] - left[1],
      2 * files_each,
      clean ? "found nothing wrong. A clean check proves nothing: only the records do."
            : "found damage and mended it: the filesystem, not your files."));
  return {};
}

}  // namespace runctl::cli
