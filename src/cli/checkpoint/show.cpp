#include "cli/checkpoint/show.hpp"

#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/s3/report.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {

using checkpoint::Checkpoint;
using checkpoint::Place;

std::string_view state_of(const Checkpoint& one) {
  return one.is_unfinished ? "unfinished" : name_of(one.finding.verdict);
}

std::string epoch_text(const Checkpoint& one) {
  return one.finding.facts.epoch ? fmt::format("{:.10g}", *one.finding.facts.epoch) : "";
}

std::string step_text(const Checkpoint& one) {
  return one.finding.facts.step ? std::to_string(*one.finding.facts.step) : "";
}

std::string metrics_text(const Checkpoint& one, std::size_t most) {
  std::string text;
  std::size_t told = 0;
  for (const bool losses : {true, false}) {
    for (const auto& [name, value] : one.finding.facts.metrics) {
      if (lower(name).contains("loss") != losses || told == most) continue;
      text += fmt::format("{}{}={:.6g}", told++ == 0 ? "" : " ", transfer::printable(name), value);
    }
  }
  return text;
}

std::string written_text(const Checkpoint& one) {
  return iso8601(std::chrono::floor<std::chrono::milliseconds>(one.written)).substr(0, 19) + "Z";
}

std::string shown_name(const Checkpoint& one, const Place& place) {
  if (one.name.empty()) return transfer::printable(place.own_name());
  return transfer::printable(one.name) + (one.is_folder ? "/" : "");
}

std::string path_of(const Checkpoint& one, const Place& place) { return place.path_of(one.name); }

boost::json::object record_of(const Checkpoint& one, const Place& place) {
  boost::json::object record{{"name", for_json(one.name.empty() ? place.own_name() : one.name)},
                             {"path", for_json(path_of(one, place))},
                             {"format", name_of(one.finding.format)},
                             {"state", state_of(one)}};
  if (!one.finding.why.empty()) record["why"] = for_json(one.finding.why);
  if (one.finding.facts.epoch) record["epoch"] = *one.finding.facts.epoch;
  if (one.finding.facts.step) record["step"] = *one.finding.facts.step;
  boost::json::object metrics;
  for (const auto& [name, value] : one.finding.facts.metrics) metrics[name] = value;
  record["metrics"] = std::move(metrics);
  record["items"] = one.finding.items;
  record["bytes"] = one.bytes;
  boost::json::array files;
  for (const checkpoint::PlaceFile& file : one.files) files.emplace_back(for_json(file.name));
  record["files"] = std::move(files);
  record["modified"] = written_text(one);
  record["folder"] = one.is_folder;
  return record;
}

std::unexpected<Error> no_checkpoint(const Place& place) {
  auto none = fail(Errc::not_found, fmt::format("there is no checkpoint in {}",
                                                transfer::printable(place.path_of(""))));
  none.error().hint = "Only what lies directly in it is looked at.";
  none.error().section = "CHECKPOINTS.md#what-is-a-checkpoint";
  return none;
}

}  // namespace runctl::cli
