// The tour of the main job: a sealed dataset, a training with checkpoints, a hand-over
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <sstream>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/quickstart/tours.hpp"
#include "volume/wait.hpp"

namespace runctl::cli {
namespace {

// 30 epochs take about two seconds of computing. The one that is interrupted rests after each, so
// that it is at work for half a minute, which also a slow machine needs for what is done meanwhile.
constexpr std::string_view epochs = "30";
constexpr std::string_view rest_seconds = "0.8";

// What the steps hand on.
struct Job {
  Tour& tour;
  std::string example;
  Devices devices = Devices::none;
  TourMachine first;
  TourMachine second;
  std::string data = {};         // a volume's Name
  std::string checkpoints = {};  // the same volume where there are no devices
  std::string checksum = {};     // of the whole sealed device
  unsigned writes_refused = 0;
  unsigned attaches_refused = 0;
  std::string snapshot = {};
  std::string snapshot_worth = {};
  std::string interrupted = {};
  std::string model = {};
};

Result<TourMachine> rent(Tour& tour, const std::string& name) {
  RUNCTL_TRY_LET(const auto text, tour.run_for_id({"aws", "create", "t3.medium", "--name", name,
                                                   "--availability-zone", "us-east-1a", "--wait"}));
  RUNCTL_TRY_LET(auto id, InstanceId::parse(text));
  return TourMachine{.name = name, .id = std::move(id)};
}

// The first line that starts so, without what it starts with.
Result<std::string> line_after(std::string_view said, std::string_view start) {
  for (const std::string_view line : split(said, '\n')) {
    if (line.starts_with(start)) return std::string{line.substr(start.size())};
  }
  return fail(Errc::corrupt, fmt::format("a line that starts with '{}' was expected", start));
}

std::vector<std::string> training(const Job& job, const TourMachine& machine,
                                  const std::string& data, const std::string& checkpoints) {
  return {"aws",           "train", machine.name,          job.example + "/train.py",
          "--data-volume", data,    "--checkpoint-volume", checkpoints};
}

Result<void> fill(Job& job) {
  Tour& tour = job.tour;
  if (job.devices == Devices::real) {
    tour.say(
        "The data set's volume may be attached to several machines at once (Multi-Attach). For now "
        "one of them has it, formats it (it is proved blank first) and mounts it.");
    RUNCTL_TRY(tour.run_for_id({"aws", "ebs", "create", "--size", "4", "--type", "io2", "--iops",
                                "100", "--multi-attach", "--name", job.data}));
  } else {
    tour.say("A volume is made, and one of the machines mounts it.");
    RUNCTL_TRY(tour.run_for_id({"aws", "ebs", "create", "--size", "1", "--name", job.data}));
  }
  RUNCTL_TRY(tour.run({"aws", "ebs", "attach", job.data, "--instance", job.first.name, "--mount",
                       "/data", "--format", "ext4"}));
  tour.say("A real data set is put on it, 1,797 handwritten digits, with its licence.");
  RUNCTL_TRY(tour.run({"aws", "train", job.first.name, job.example + "/prepare.py", "--data-volume",
                       job.data, "--wait"}));
  return {};
}

Result<void> refuse_attach(Job& job, const std::string& volume) {
  RUNCTL_TRY_LET(const auto said,
                 job.tour.run({"aws", "ebs", "attach", volume, "--instance", job.second.name},
                              ExitCode::refused));
  if (!said.contains("is already attached to instance") ||
      !said.contains("Detach it first or use a different volume.")) {
    return fail(Errc::corrupt, "the second machine was refused, but not in the words that say why");
  }
  ++job.attaches_refused;
  return {};
}

// As root on the machine, in three ways: through the filesystem, after making it writable, and past
// it. The last one would write what is there already, should nobody stop it.
Result<void> try_to_write(Job& job, const TourMachine& machine) {
  const std::array<std::string, 3> attempts{
      "touch /data/mine", "mount -o remount,rw /data",
      "d=$(findmnt -no SOURCE /data); dd if=$d bs=4k count=1 status=none |\n"
      "    dd of=$d bs=4k oflag=direct status=none"};
  RUNCTL_TRY_LET(const auto typed, job.tour.type(machine, attempts));
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (typed[i].exit_status == 0) {
      return fail(Errc::corrupt,
                  fmt::format("{} could write the sealed volume: '{}' was not refused",
                              machine.name, attempts.at(i)));
    }
    ++job.writes_refused;
  }
  return {};
}

Result<std::string> checksum(Job& job, const TourMachine& machine) {
  RUNCTL_TRY_LET(const auto said,
                 job.tour.type(machine,
                               "dd if=$(findmnt -no SOURCE /data) bs=4M iflag=direct "
                               "status=none |\n    cksum"));
  return std::string{trim(said)};
}

Result<void> seal(Job& job) {
  Tour& tour = job.tour;
  tour.say("The data set is complete. From here on nobody is to change it.");
  RUNCTL_TRY(tour.run({"aws", "ebs", "seal", job.data}));
  RUNCTL_TRY(tour.run(
      {"aws", "ebs", "attach", job.data, "--instance", job.second.name, "--mount", "/data"}));
  tour.say("Both have it now. Each reads all of it, against the checksums of the seal:");
  for (const TourMachine* machine : {&job.first, &job.second}) {
    RUNCTL_TRY(tour.run({"aws", "ebs", "verify", job.data, "--instance", machine->name}));
  }
  tour.say(
      "Can they write it? What stands behind a `#` is typed as root on that machine (through SSM), "
      "and answered by its kernel. First a checksum of the whole device, 4 GiB:");
  RUNCTL_TRY_LET(job.checksum, checksum(job, job.first));
  RUNCTL_TRY(try_to_write(job, job.first));
  RUNCTL_TRY(try_to_write(job, job.second));
  return {};
}

// Waits until the newest run on the machine satisfies `done`, which is given its record and the end
// of its output.
Result<void> wait_for_run(
    Job& job, const TourMachine& machine, std::string_view what,
    const std::function<Result<bool>(const boost::json::value&, std::string_view)>& done) {
  std::ostringstream screen;
  Context inner = job.tour.on_cloud(screen);
  RUNCTL_TRY_LET(const auto cloud, connect(inner));
  RUNCTL_TRY(volume::wait_for<bool>(
      cloud->session(),
      {.max_delay = std::chrono::milliseconds{200}, .budget = std::chrono::seconds{60}}, what,
      [&]() -> Result<std::optional<bool>> {
        RUNCTL_TRY_LET(const auto status, job.tour.ask({"aws", "status", machine.name}));
        const auto* runs = array_at(status, "runs");
        if (runs == nullptr || runs->empty()) return std::nullopt;
        RUNCTL_TRY_LET(const bool yes,
                       done(runs->front(), string_at(status, "log_end").value_or("")));
        return yes ? std::optional{true} : std::nullopt;
      }));
  return {};
}

Result<void> write_checkpoints(Job& job) {
  Tour& tour = job.tour;
  if (job.devices == Devices::real) {
    RUNCTL_TRY(tour.run_for_id({"aws", "ebs", "create", "--size", "1", "--name", job.checkpoints}));
    RUNCTL_TRY(tour.run({"aws", "ebs", "attach", job.checkpoints, "--instance", job.first.name,
                         "--mount", "/checkpoints", "--format", "ext4"}));
  }
  tour.say(
      "A real process trains a classifier and writes a checkpoint after each epoch. It goes on by "
      "itself, whatever becomes of this terminal.");
  auto words = training(job, job.first, job.data, job.checkpoints);
  words.insert(words.end(),
               {"--", "--epochs", std::string{epochs}, "--pause", std::string{rest_seconds}});
  RUNCTL_TRY(tour.run(std::move(words)));
  RUNCTL_TRY(wait_for_run(job, job.first, "the first checkpoints",
                          [](const boost::json::value&, std::string_view log) -> Result<bool> {
                            return log.contains("epoch=2 ");
                          }));
  tour.say("A snapshot is taken while it writes.");
  RUNCTL_TRY_LET(const auto said, tour.run({"aws", "ebs", "snapshot", job.checkpoints, "--name",
                                            "while-writing", "--wait"}));
  job.snapshot = "while-writing";
  if (job.devices == Devices::none) {
    job.snapshot_worth = "crash-consistent (directories cannot be frozen)";
    return {};
  }
  if (!said.contains(": completed, consistent.")) {
    return fail(Errc::corrupt, "the snapshot was to be consistent, and is not");
  }
  RUNCTL_TRY_LET(const auto waited, line_after(said, "Writers waited for "));
  job.snapshot_worth = fmt::format("consistent; the writer waited for {}", waited);
  if (job.snapshot_worth.ends_with('.')) job.snapshot_worth.pop_back();
  return {};
}

struct RunningTraining {
  std::int64_t pid = 0;
  std::string log = {};  // a file on the machine
};

Result<RunningTraining> find_training(Job& job) {
  RunningTraining found;
  RUNCTL_TRY(wait_for_run(
      job, job.first, "the training",
      [&](const boost::json::value& run, std::string_view) -> Result<bool> {
        if (string_at(run, "state") != "running") {
          return fail(Errc::internal,
                      "the training was to be interrupted, but this machine is so slow that it has "
                      "ended before");
        }
        found.pid = integer_at(run, "pid").value_or(0);
        found.log = string_at(run, "directory").value_or("") + "/log";
        return true;
      }));
  if (found.pid <= 1) return fail(Errc::corrupt, "the training's process has no number");
  return found;
}

Result<void> interrupt(Job& job) {
  job.tour.say("Now the training is interrupted, as by the end of a spot machine:");
  RUNCTL_TRY_LET(const auto running, find_training(job));
  RUNCTL_TRY(job.tour.type(job.first, fmt::format("kill -TERM {}", running.pid)));
  RUNCTL_TRY(wait_for_run(job, job.first, "the end of the training",
                          [](const boost::json::value& run, std::string_view) -> Result<bool> {
                            return string_at(run, "state") != "running";
                          }));
  RUNCTL_TRY_LET(const auto log, job.tour.type(job.first, "tail -n 2 " + shell_quote(running.log)));
  RUNCTL_TRY_LET(const auto ended, line_after(log, "ended by signal 15 after "));
  job.interrupted = ended.substr(0, ended.find(';'));
  return {};
}

Result<void> hand_over(Job& job) {
  Tour& tour = job.tour;
  tour.say("The second machine asks for the checkpoints while the first one writes them:");
  RUNCTL_TRY(refuse_attach(job, job.checkpoints));
  tour.say("Nor is the volume pulled from under the training:");
  RUNCTL_TRY_LET(const auto said,
                 tour.run({"aws", "ebs", "move", job.checkpoints, "--to", job.second.name},
                          ExitCode::refused));
  if (!said.contains("is in use on instance") || !said.contains("train.py")) {
    return fail(Errc::corrupt, "the hand-over was refused, but not because the training writes");
  }
  RUNCTL_TRY(interrupt(job));
  tour.say("Nobody writes any more. It is handed over, and the training goes on there.");
  RUNCTL_TRY(tour.run({"aws", "ebs", "move", job.checkpoints, "--to", job.second.name}));
  auto words = training(job, job.second, job.data, job.checkpoints);
  words.insert(words.end(), {"--resume", "--wait", "--", "--epochs", std::string{epochs}});
  RUNCTL_TRY_LET(const auto trained, tour.run(std::move(words)));
  RUNCTL_TRY_LET(job.model, line_after(trained, "final "));
  return {};
}

Result<void> expect_same(const Job& job, const std::string& said, std::string_view which) {
  RUNCTL_TRY_LET(const auto model, line_after(said, "final "));
  if (model == job.model) return {};
  return fail(Errc::corrupt, fmt::format("the models differ: '{}' after the hand-over, '{}' {}",
                                         job.model, model, which));
}

Result<void> compare(Job& job) {
  Tour& tour = job.tour;
  const bool apart = job.devices == Devices::real;
  tour.say("What is the snapshot worth? It becomes a volume, and the training goes on from it.");
  RUNCTL_TRY(
      tour.run_for_id({"aws", "ebs", "restore", job.snapshot, "--name", "from-snapshot",
                       "--instance", job.first.name, "--mount", "/from-snapshot", "--wait"}));
  auto words = training(job, job.first, apart ? job.data : "from-snapshot", "from-snapshot");
  words.insert(words.end(), {"--resume", "--wait", "--", "--epochs", std::string{epochs}});
  RUNCTL_TRY_LET(const auto from_snapshot, tour.run(std::move(words)));
  RUNCTL_TRY(expect_same(job, from_snapshot, "from the snapshot"));

  tour.say("And the same training in one go, which was never interrupted:");
  const TourMachine& machine = apart ? job.first : job.second;
  RUNCTL_TRY(tour.run_for_id({"aws", "ebs", "create", "--size", "1", "--name", "one-go"}));
  RUNCTL_TRY(tour.run({"aws", "ebs", "attach", "one-go", "--instance", machine.name, "--mount",
                       "/one-go", "--format", "ext4"}));
  words = training(job, machine, job.data, "one-go");
  words.insert(words.end(), {"--wait", "--", "--epochs", std::string{epochs}});
  RUNCTL_TRY_LET(const auto in_one_go, tour.run(std::move(words)));
  RUNCTL_TRY(expect_same(job, in_one_go, "in one go"));
  tour.say("The three models are the same, bit for bit.");
  return {};
}

Result<void> give_back(Job& job) {
  Tour& tour = job.tour;
  if (job.devices == Devices::real) {
    tour.say(
        "Has anybody changed the sealed volume? Its device once more, from the other machine:");
    RUNCTL_TRY_LET(const auto now, checksum(job, job.second));
    if (now != job.checksum) {
      return fail(Errc::corrupt, fmt::format("the sealed volume was changed: its checksum was {}, "
                                             "and is {}",
                                             job.checksum, now));
    }
  }
  tour.say("Volumes are unmounted before their machine goes, and stay.");
  RUNCTL_TRY(tour.run({"aws", "terminate", job.first.name, "--yes"}));
  RUNCTL_TRY(tour.run({"aws", "terminate", job.second.name, "--yes"}));
  RUNCTL_TRY(tour.run({"aws", "ebs", "show", job.data}));
  return {};
}

// "epoch=30 accuracy=0.9889 sha256=…"
std::string field(std::string_view model, std::string_view name) {
  for (const std::string_view word : split(model, ' ')) {
    if (word.starts_with(name)) return std::string{word.substr(name.size())};
  }
  return "?";
}

void summarise(const Job& job) {
  const double accuracy = 100.0 * std::strtod(field(job.model, "accuracy=").c_str(), nullptr);
  const std::string digest = "sha256=" + field(job.model, "sha256=");
  std::string text = "What was shown:\n";
  if (job.devices == Devices::real) {
    text += fmt::format(
        "- The sealed data set was read by two machines at once. {} of {} attempts to write it "
        "were "
        "refused by their kernels, and all of its 4 GiB are as they were (cksum {}).\n",
        job.writes_refused, job.writes_refused, job.checksum.substr(0, job.checksum.find(' ')));
  }
  text += fmt::format(
      "- A second machine was refused a volume that another one writes, {}.\n"
      "- The snapshot that was taken while a training wrote is {}.\n"
      "- The checkpoints were not taken from the running training, and handed over when it had "
      "ended. It went on there after {}.\n"
      "- Handed over, from the snapshot, in one go: each time the same model to the last bit.\n"
      "  It is right on {:.1f} % of the images that it has never seen.\n"
      "  {}",
      job.attaches_refused == 1 ? "once" : "twice", job.snapshot_worth, job.interrupted, accuracy,
      digest);
  job.tour.say(text);
  if (job.devices == Devices::none) {
    job.tour.say(
        "Left out, since the volumes here are directories and no devices:\n"
        "- sealing: read-only devices, several machines that read one volume\n"
        "- the freeze, which makes a snapshot consistent\n"
        "- runctl quickstart --show-corruption\n"
        "As root all of it is shown: sudo runctl quickstart");
  }
}

Result<Job> begin(Tour& tour, const std::string& example, Devices devices) {
  tour.step("Two machines, and a data set on a volume");
  RUNCTL_TRY_LET(auto first, rent(tour, "trainer-1"));
  RUNCTL_TRY_LET(auto second, rent(tour, "trainer-2"));
  Job job{.tour = tour,
          .example = example,
          .devices = devices,
          .first = std::move(first),
          .second = std::move(second),
          .data = "digits",
          .checkpoints = devices == Devices::real ? "checkpoints" : "digits"};
  RUNCTL_TRY(fill(job));
  return job;
}

}  // namespace

Result<void> show_main_job(Tour& tour, const std::string& example, Devices devices) {
  RUNCTL_TRY_LET(auto job, begin(tour, example, devices));
  tour.step("The wrong way: a second machine that writes it too");
  if (devices == Devices::real) {
    tour.say("EC2 would attach it, and two writers would destroy its filesystem. runctl:");
  }
  RUNCTL_TRY(refuse_attach(job, job.data));
  if (devices == Devices::real) {
    tour.step("The data set is sealed, and two machines read it at once");
    RUNCTL_TRY(seal(job));
  }
  tour.step("A training writes its checkpoints, and a snapshot is taken meanwhile");
  RUNCTL_TRY(write_checkpoints(job));
  tour.step("The checkpoints are handed over to the other machine");
  RUNCTL_TRY(hand_over(job));
  tour.step("The same model, however it was come by");
  RUNCTL_TRY(compare(job));
  tour.step("Everything is given back");
  RUNCTL_TRY(give_back(job));
  summarise(job);
  return {};
}

}  // namespace runctl::cli
