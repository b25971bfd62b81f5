// What a sync is between, and how each step of it becomes a job.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/session.hpp"
#include "cli/s3/sources.hpp"
#include "transfer/content.hpp"
#include "transfer/ignore_rules.hpp"
#include "transfer/job.hpp"
#include "transfer/object_store.hpp"
#include "transfer/sync_plan.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

struct SyncTask {
  transfer::SyncRules rules = {};
  std::filesystem::path local = {};  // of an upload's source, a download's target
  transfer::S3Uri from = {};         // where that is in S3
  transfer::S3Uri to = {};
  transfer::NameFilter filter = {};
  Links links = Links::shown;
  transfer::Attributes attributes = {};
  bool replaces_headers = false;  // of what is copied inside S3
};

// The two sides of a task, read once. What cannot be transferred is told to the report, if there is
// one. Both borrow the task. Errors: those of opening a local tree; a target that is not there yet
// is empty.
struct SyncSides {
  std::unique_ptr<transfer::SyncStream> source;
  std::unique_ptr<transfer::SyncStream> target;
};
[[nodiscard]] Result<SyncSides> open_sides(S3Session& session, const SyncTask& task,
                                           S3Report* report);

// Of a step that creates or replaces.
[[nodiscard]] transfer::Job job_of(const SyncTask& task, const transfer::SyncStep& step);

// What the target side has, as a path or a URI.
[[nodiscard]] std::string target_place(const SyncTask& task, const std::string& name);

// Whether both sides of a step have the same content. Errors: those of asking and reading.
[[nodiscard]] Result<transfer::Likeness> compare_step(transfer::ObjectStore& store,
                                                      const SyncTask& task,
                                                      const transfer::SyncStep& step,
                                                      const std::stop_token& stop);

}  // namespace runctl::cli
