#include "cli/instance/train_data.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/machine.hpp"

namespace runctl::cli {
namespace {

constexpr std::chrono::seconds question_patience{60};
constexpr std::size_t most_named = 5;

// Of the machine's own disk, for what is below this folder of S3: as readable as a name may be, and
// one of its own.
std::string folder_for(const transfer::S3Uri& source) {
  constexpr std::size_t digits = 16;
  const std::string text = transfer::to_text(source);
  return fmt::format("{}-{}", source.bucket, hex(sha256(text)).substr(0, digits));
}

Result<void> check_volume(const training::TrainSpec& spec, const transfer::S3Uri& source) {
  if (!spec.data_volume) return {};
  const volume::VolumeFacts& volume = *spec.data_volume;
  if (spec.checkpoint_volume && spec.checkpoint_volume->id == volume.id) {
    auto same = fail(Errc::conflict,
                     fmt::format("volume {} is to hold both the data of S3 and the checkpoints",
                                 label_of(volume)));
    same.error().hint =
        "What is downloaded could replace what the run writes. Use two volumes, or leave out "
        "--data-volume: the data then go to the machine's own disk.";
    return same;
  }
  if (volume::mode_of(volume) != volume::VolumeMode::sealed) return {};
  auto sealed = fail(
      Errc::conflict,
      fmt::format("volume {} is sealed, and nothing can be downloaded to it", label_of(volume)));
  sealed.error().hint = "It has what it was sealed with: leave out --data-s3 to use that.";
  sealed.error().section = "EBS_CONCURRENT_ACCESS.md#sealed-volumes";
  sealed.error().ways_out = {
      fmt::format("runctl aws ebs unseal {}   # then fill it: runctl aws ebs pre-warm {} {} --seal",
                  volume.id, volume.id, transfer::to_text(source))};
  return sealed;
}

}  // namespace

Result<std::unique_ptr<DataStaging>> DataStaging::make(const Arguments& arguments, Context& context,
                                                       const training::TrainSpec& spec) {
  const auto text = arguments.get("--data-s3");
  if (!text) return nullptr;
  RUNCTL_TRY_LET(const auto source, transfer::parse_s3_uri(*text));
  RUNCTL_TRY(check_volume(spec, source));
  RUNCTL_TRY_LET(auto s3, connect_s3(context, {}));
  RUNCTL_TRY_LET(auto found, survey(*s3, source));
  if (spec.data_volume) {
    RUNCTL_TRY(check_room(found, spec.data_volume->size,
                          fmt::format("volume {}", label_of(*spec.data_volume))));
  }
  return std::make_unique<DataStaging>(std::move(s3), std::move(found));
}

std::string DataStaging::step(const training::TrainSpec& spec) const {
  return fmt::format("download {} ({}) from {} to {}, where they are not yet",
                     objects_in_words(survey_.objects), bytes_in_words(survey_.bytes),
                     transfer::to_text(survey_.source),
                     spec.data_volume ? fmt::format("volume {}", label_of(*spec.data_volume))
                                      : std::string{"the machine's own disk"});
}

training::Stage DataStaging::stage() {
  return [this](const volume::Change& change, const InstanceId& machine,
                const std::optional<volume::VolumeFacts>& volume) {
    return bring(change, machine, volume);
  };
}

Result<std::string> DataStaging::bring(const volume::Change& change, const InstanceId& machine,
                                       const std::optional<volume::VolumeFacts>& volume) {
  FillTarget target{.machine = machine, .place = {}};
  if (volume) {
    target.place.volume = volume->id;
  } else {
    target.place.folder = folder_for(survey_.source);
  }
  // What a call that was killed has left under way.
  RUNCTL_TRY(node::end_fetch(volume::machine_of(change.session, machine, question_patience),
                             target.place));
  RUNCTL_TRY(volume::on_machine(
      change, "fetch", {{"target", target.place.name()}, {"instance", machine.str()}},
      [&] { return fill(*s3_, change.session, target, survey_, report_); }));
  if (!report_.failed.empty()) return std::unexpected{missing_objects()};
  return report_.directory;
}

Error DataStaging::missing_objects() const {
  Error error{.code = Errc::precondition,
              .message = fmt::format("{} below {} could not be downloaded",
                                     objects_in_words(report_.failed.size()),
                                     transfer::to_text(survey_.source)),
              .hint =
                  "The run is not started, since its data would not be whole. What was "
                  "downloaded stays, and the same command goes on from there."};
  for (std::size_t i = 0; i < std::min(report_.failed.size(), most_named); ++i) {
    const LeftObject& object = report_.failed[i];
    error.details.push_back(fmt::format("{}: {}", transfer::printable(object.key), object.why));
  }
  if (report_.failed.size() > most_named) {
    error.details.push_back(fmt::format("and {} more", report_.failed.size() - most_named));
  }
  if (!report_.said.empty()) {
    error.details.push_back(fmt::format("the machine said: {}", report_.said));
  }
  return error;
}

boost::json::object DataStaging::record() const {
  return {{"source", transfer::to_text(survey_.source)},
          {"directory", node::to_utf8(report_.directory)},
          {"files", report_.files},
          {"bytes", report_.bytes},
          {"already", report_.already},
          {"already_bytes", report_.already_bytes},
          {"left_out", survey_.refused.size()}};
}

void DataStaging::note_left_out(Context& context) const {
  for (std::size_t i = 0; i < std::min(survey_.refused.size(), most_named); ++i) {
    const LeftObject& object = survey_.refused[i];
    note(context, fmt::format("Left out: {}: {}", transfer::printable(object.key), object.why));
  }
  if (survey_.refused.size() > most_named) {
    note(context, fmt::format("Left out: {} more", survey_.refused.size() - most_named));
  }
}

}  // namespace runctl::cli
