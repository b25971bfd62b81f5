#include "node/upload.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/script.hpp"
#include "node/without_comments.hpp"

namespace runctl::node {
namespace {

std::uint64_t count_at(const boost::json::value& record, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
}

}  // namespace

std::string uploader_text(const UploadSpec& spec, const std::string& checkpoint_directory) {
  std::string form;
  for (const auto& field : spec.form) form += fmt::format("{}\t{}\n", field.name, field.value);
  std::string text = "#!/bin/sh\n";
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {"UPLOAD_URL", spec.url},
           {"UPLOAD_FORM", form},
           {"UPLOAD_PREFIX", spec.key_prefix},
           {"UPLOAD_TARGET", spec.target},
           {"UPLOAD_EXPIRES", std::to_string(spec.expires.time_since_epoch().count())},
           {"UPLOAD_LARGEST", std::to_string(aws::s3::largest_post)},
           {"UPLOAD_INTERVAL", std::to_string(spec.interval.count())},
           {"UPLOAD_OUTPUT", spec.output_directory},
           {"UPLOAD_CHECKPOINTS", checkpoint_directory}}) {
    text += fmt::format("{}={}\n", name, shell_quote(value));
  }
  return text + without_comments(script_text("upload"));
}

std::optional<UploadReport> read_upload(const boost::json::value& record) {
  const auto* object = object_at(record, "upload");
  if (object == nullptr) return std::nullopt;
  // In parentheses: braces would make it an array.
  const boost::json::value upload(*object);
  UploadReport report{.target = string_at(upload, "target").value_or(""),
                      .is_finished = boolean_at(upload, "finished").value_or(false),
                      .is_working = boolean_at(record, "upload_working").value_or(false),
                      .is_expired = boolean_at(upload, "expired").value_or(false),
                      .uploaded = count_at(upload, "uploaded"),
                      .bytes = count_at(upload, "bytes"),
                      .pending = count_at(upload, "pending"),
                      .failed_count = count_at(upload, "failed_count"),
                      .trouble = string_at(upload, "trouble").value_or("")};
  if (const auto expires = integer_at(upload, "expires")) {
    report.expires = std::chrono::sys_seconds{std::chrono::seconds{*expires}};
  }
  if (const auto* failed = array_at(upload, "failed")) {
    for (const auto& one : *failed) {
      report.failed.push_back(
          {.path = string_at(one, "path").value_or(""), .why = string_at(one, "why").value_or("")});
    }
  }
  return report;
}

}  // namespace runctl::node
