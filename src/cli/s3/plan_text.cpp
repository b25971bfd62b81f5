#include "cli/s3/plan_text.hpp"

#include <limits>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"

namespace runctl::cli {

void ObjectPlan::add(std::string line, std::uint64_t bytes) {
  ++objects_;
  bytes_ += bytes;
  if (lines_.size() < listed_) lines_.push_back(std::move(line));
}

void ObjectPlan::add_all(const ObjectPlan& other) {
  lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
  objects_ += other.objects_;
  bytes_ += other.bytes_;
}

std::string ObjectPlan::text() const {
  std::string text;
  for (const std::string& line : lines_) text += fmt::format("  - {}\n", line);
  if (objects_ > lines_.size()) {
    text += fmt::format("  … and {} more\n", counted(objects_ - lines_.size(), "object"));
  }
  return text;
}

ExitCode ObjectPlan::show(Context& context, std::string_view nothing) const {
  boost::json::array plan;
  for (const std::string& line : lines_) plan.emplace_back(line);
  std::string words = objects_ == 0
                          ? fmt::format("{}\n", nothing)
                          : fmt::format("It would:\n{}{}, {} in all.\n", text(),
                                        counted(objects_, "object"), bytes_in_words(bytes_));
  present(context, {.text = std::move(words),
                    .record = {{"dry_run", true},
                               {"objects", objects_},
                               {"bytes", bytes_},
                               {"plan", std::move(plan)},
                               {"plan_is_whole", objects_ == lines_.size()}}});
  return ExitCode::ok;
}

ObjectPlan make_plan(const Arguments& arguments) {
  return arguments.has("--verbose") ? ObjectPlan{std::numeric_limits<std::size_t>::max()}
                                    : ObjectPlan{};
}

}  // namespace runctl::cli
