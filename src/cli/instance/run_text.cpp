#include "cli/instance/run_text.hpp"

#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/s3/options.hpp"

namespace runctl::cli {
namespace {

// Who stopped it, and how it ended upon that.
std::string stopped_text(const node::RunReport& run) {
  const std::string by = run.stop && !run.stop->by.empty() ? " by " + run.stop->by : "";
  const std::string killed = run.stop && run.stop->killed ? ", killed" : "";
  if (!run.exit_status) return fmt::format("was stopped{}{}", by, killed);
  return run.signal ? fmt::format("was stopped{}{} (signal {})", by, killed, *run.signal)
                    : fmt::format("was stopped{}{} (exit status {})", by, killed, *run.exit_status);
}

boost::json::object record_of(const node::UploadReport& upload) {
  boost::json::array failed;
  for (const auto& one : upload.failed) {
    failed.push_back(boost::json::object{{"path", one.path}, {"why", one.why}});
  }
  const std::string_view state = upload.is_finished  ? "finished"
                                 : upload.is_working ? "running"
                                                     : "interrupted";
  boost::json::object record{{"target", upload.target},     {"state", state},
                             {"uploaded", upload.uploaded}, {"bytes", upload.bytes},
                             {"pending", upload.pending},   {"failed_count", upload.failed_count},
                             {"failed", std::move(failed)}, {"expired", upload.is_expired}};
  if (upload.expires) record["expires"] = iso8601(Timestamp{*upload.expires});
  if (!upload.trouble.empty()) record["trouble"] = upload.trouble;
  return record;
}

}  // namespace

boost::json::object record_of(const node::RunReport& run) {
  boost::json::object record{{"run_id", run.id.str()},
                             {"state", node::name_of(run.state)},
                             {"pid", run.pid},
                             {"fence", run.fence},
                             {"directory", run.directory},
                             {"command", run.command},
                             {"checkpoint_directory", run.checkpoint_directory}};
  if (run.exit_status) record["exit_status"] = *run.exit_status;
  if (run.signal) record["signal"] = *run.signal;
  if (run.started) record["started"] = iso8601(Timestamp{*run.started});
  if (run.ended) record["ended"] = iso8601(Timestamp{*run.ended});
  if (!run.git_commit.empty()) record["git_commit"] = run.git_commit;
  if (run.stop) {
    boost::json::object stop{{"signal", run.stop->signal}, {"by", run.stop->by}};
    if (run.stop->at) stop["at"] = iso8601(Timestamp{*run.stop->at});
    if (run.stop->killed) stop["killed_at"] = iso8601(Timestamp{*run.stop->killed});
    record["stop"] = std::move(stop);
  }
  if (run.upload) record["upload"] = record_of(*run.upload);
  return record;
}

std::string outcome_text(const node::RunReport& run) {
  switch (run.state) {
    case node::RunState::running:
      return run.stop ? fmt::format("is running, and was asked to end by {}", run.stop->by)
                      : "is running";
    case node::RunState::succeeded:
      return "succeeded";
    case node::RunState::stopped:
      return stopped_text(run);
    case node::RunState::lost:
      return "is gone, and nothing says how it ended: its machine was stopped, or it was killed";
    case node::RunState::failed:
      if (run.signal) return fmt::format("was ended by signal {}", *run.signal);
      return fmt::format("failed with exit status {}", run.exit_status.value_or(-1));
  }
  std::unreachable();
}

std::string upload_text(const node::UploadReport& upload) {
  std::string text =
      fmt::format("{} ({}) {} in {}", counted(upload.uploaded, "file"),
                  bytes_in_words(upload.bytes), upload.uploaded == 1 ? "is" : "are", upload.target);
  if (!upload.is_finished && !upload.is_working) {
    text += "; what uploads was ended before it was done";
  } else if (upload.pending > 0) {
    text += fmt::format("; {} still to be sent", upload.pending);
    if (!upload.trouble.empty()) text += fmt::format(" (tried last: {})", upload.trouble);
  } else if (!upload.is_finished) {
    text += "; it goes on";
  }
  if (upload.is_expired) text += "; the permission to upload has expired";
  if (upload.failed_count > 0) text += fmt::format("; {} not uploaded:", upload.failed_count);
  for (const auto& one : upload.failed) text += fmt::format("\n  {}: {}", one.path, one.why);
  if (upload.failed_count > upload.failed.size()) {
    text += fmt::format("\n  and {} more", upload.failed_count - upload.failed.size());
  }
  return text;
}

}  // namespace runctl::cli
