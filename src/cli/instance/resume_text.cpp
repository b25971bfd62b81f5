#include "cli/instance/resume_text.hpp"

#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/output.hpp"
#include "cli/s3/report.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

using training::ResumePoint;
using transfer::printable;

// " (epoch 4, step 1200, sound)"
std::string in_brackets(const node::ChosenCheckpoint& chosen) {
  std::string text;
  if (chosen.epoch) text += fmt::format("epoch {:.10g}, ", *chosen.epoch);
  if (chosen.step) text += fmt::format("step {}, ", *chosen.step);
  return fmt::format(" ({}{})", text, chosen.state);
}

}  // namespace

void note_resume(Context& context, const ResumePoint& point, const std::string& directory) {
  const node::CheckpointChoice& choice = point.choice;
  if (choice.checkpoint) {
    note(context, fmt::format("It goes on from {}{}.", printable(point.path),
                              in_brackets(*choice.checkpoint)));
  } else {
    note(context, fmt::format("There is no checkpoint in {} yet: it starts from the beginning.",
                              printable(directory)));
  }
  for (const node::PassedOver& one : choice.passed_over)
    note(context, fmt::format("Passed over {}: {}", printable(one.name), printable(one.why)));
  if (choice.passed_over_count > choice.passed_over.size()) {
    note(context,
         fmt::format("Passed over {} more.", choice.passed_over_count - choice.passed_over.size()));
  }
  if (!choice.written_later.empty() && choice.ordered_by != "time") {
    note(context,
         fmt::format("{} was written later, and says less or nothing: was the training begun anew?",
                     printable(choice.written_later)));
  }
}

boost::json::object record_of(const ResumePoint& point) {
  const node::CheckpointChoice& choice = point.choice;
  boost::json::object record{{"from", nullptr}};
  if (const auto& chosen = choice.checkpoint) {
    record["from"] = for_json(point.path);
    record["name"] = for_json(chosen->name);
    record["format"] = chosen->format;
    record["state"] = chosen->state;
    if (!chosen->why.empty()) record["why"] = for_json(chosen->why);
    if (chosen->epoch) record["epoch"] = *chosen->epoch;
    if (chosen->step) record["step"] = *chosen->step;
    record["chosen_by"] = choice.ordered_by;
  }
  boost::json::array passed_over;
  for (const node::PassedOver& one : choice.passed_over) {
    passed_over.emplace_back(boost::json::object{
        {"name", for_json(one.name)}, {"state", one.state}, {"why", for_json(one.why)}});
  }
  record["passed_over"] = std::move(passed_over);
  record["passed_over_count"] = choice.passed_over_count;
  if (!choice.written_later.empty()) record["written_later"] = for_json(choice.written_later);
  return record;
}

std::string plan_of(const ResumePoint& point) {
  if (!point.choice.checkpoint) return "start from the beginning: there is no checkpoint yet";
  return fmt::format("go on from {}{}", printable(point.path),
                     in_brackets(*point.choice.checkpoint));
}

}  // namespace runctl::cli
