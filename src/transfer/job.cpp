#include "transfer/job.hpp"

#include <fmt/format.h>

namespace runctl::transfer {
namespace {

struct InWords {
  std::string operator()(const Upload& job) const {
    return fmt::format("upload of {} to {}", job.path().string(), to_text(job.target));
  }
  std::string operator()(const Download& job) const {
    return fmt::format("download of {} to {}", to_text(job.source), (job.root / job.name).string());
  }
  std::string operator()(const Copy& job) const {
    return fmt::format("copy of {} to {}", to_text(job.source), to_text(job.target));
  }
  std::string operator()(const Remove& job) const {
    return fmt::format("removal of {}", to_text(job.target));
  }
};

}  // namespace

std::string to_text(const ObjectName& name) {
  std::string text = fmt::format("s3://{}/{}", name.bucket, name.key);
  if (!name.version_id.empty()) text += fmt::format(" (version {})", name.version_id);
  return text;
}

std::string to_text(const Job& job) { return std::visit(InWords{}, job); }

Result<std::optional<Job>> JobList::next() {
  if (at_ == jobs_.size()) return std::nullopt;
  return std::move(jobs_[at_++]);
}

}  // namespace runctl::transfer
