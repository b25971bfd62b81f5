// What a run goes on from, as text and as a record.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "cli/context.hpp"
#include "training/resume_point.hpp"

namespace runctl::cli {

// Lines on standard error: the checkpoint, or that there is none in `directory`; and each newer one
// that was passed over, with the reason.
void note_resume(Context& context, const training::ResumePoint& point,
                 const std::string& directory);

// from (null for the beginning), name, format, state, why, epoch, step, chosen_by, passed_over
// (name, state, why), passed_over_count, written_later.
[[nodiscard]] boost::json::object record_of(const training::ResumePoint& point);

// "go on from …", for a plan.
[[nodiscard]] std::string plan_of(const training::ResumePoint& point);

}  // namespace runctl::cli
