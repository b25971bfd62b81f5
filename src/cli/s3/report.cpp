#include "cli/s3/report.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

using transfer::Counts;
using transfer::Job;
using transfer::printable;
using transfer::Summary;

// What is left out is listed up to here; all of it is counted.
constexpr std::size_t listed_at_most = 1'000;
// Of failures beside an error that is more than each of them.
constexpr std::size_t failures_in_details = 20;

// Errors that every other object of the command would have too.
bool concerns_all(const Error& error) {
  constexpr std::array<std::string_view, 9> codes{
      "NoSuchBucket",   "InvalidAccessKeyId", "SignatureDoesNotMatch",
      "ExpiredToken",   "InvalidToken",       "AllAccessDisabled",
      "AccountProblem", "InvalidBucketName",  "AuthorizationHeaderMalformed"};
  if (!error.remote) return false;
  return std::ranges::find(codes, error.remote->code) != codes.end();
}

boost::json::object counts_record(const Counts& counts) {
  return {{"objects", counts.objects}, {"bytes", counts.bytes}};
}

std::string counts_text(std::string_view verb, const Counts& counts) {
  if (counts.objects == 0) return {};
  return fmt::format("{} {} ({})", verb, counted(counts.objects, "object"),
                     bytes_in_words(counts.bytes));
}

std::string uri_of(const transfer::ObjectName& name) {
  return fmt::format("s3://{}/{}", name.bucket, name.key);
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

// An object that was there already, and was not to be written over.
bool is_kept(const Job& job, const Error& error) {
  const auto wants_absence = [](const auto& one) {
    if constexpr (requires { one.condition; }) return one.condition.absent;
    return false;
  };
  return error.code == Errc::precondition && error.remote && error.remote->http_status == 412 &&
         std::visit(wants_absence, job);
}

std::string_view name_of(transfer::LeftWhy why) {
  switch (why) {
    case transfer::LeftWhy::kept:
      return "kept";
    case transfer::LeftWhy::not_aborted:
      return "not_aborted";
    case transfer::LeftWhy::unheard:
      return "unheard";
  }
  std::unreachable();
}

std::string in_words(const transfer::OpenUpload& upload) {
  const std::string target = printable(uri_of(upload.target));
  switch (upload.why) {
    case transfer::LeftWhy::kept:
      return fmt::format(
          "Left in the bucket: {} of {}, upload id {}; the same command goes on with it.",
          bytes_in_words(upload.bytes_there), target, upload.upload_id);
    case transfer::LeftWhy::not_aborted:
      return fmt::format("Left in the bucket: an upload of {}, id {}, which could not be aborted.",
                         target, upload.upload_id);
    case transfer::LeftWhy::unheard:
      break;
  }
  if (upload.upload_id.empty()) {
    return fmt::format(
        "Perhaps left in the bucket: an upload of {}. A request for one got no answer, and what is "
        "open could not be listed.",
        target);
  }
  return fmt::format(
      "Perhaps left in the bucket: an upload of {}, id {}. A request for one got no answer: this "
      "may be what it made, or somebody else's, and was left alone.",
      target, upload.upload_id);
}

// Younger than a day, as what was just interrupted is, it would else be spared.
std::string to_drop(const transfer::OpenUpload& upload) {
  return fmt::format("runctl s3 cleanup --multipart --older-than 1s {}",
                     shell_quote(printable(uri_of(upload.target))));
}

std::string arrow(const JobWords& words) {
  if (words.source.empty()) return printable(words.target);
  return fmt::format("{} → {}", printable(words.source), printable(words.target));
}

std::string one_line(const Error& error) {
  std::string text = printable(error.message);
  if (!error.hint.empty()) text += fmt::format(" ({})", printable(error.hint));
  return text;
}

}  // namespace

std::string for_json(std::string_view name) {
  return transfer::is_utf8(name) ? std::string{name} : printable(name);
}

JobWords words_of(const Job& job) {
  return std::visit(
      Overloaded{
          [](const transfer::Upload& up) -> JobWords {
            return {.verb = "upload", .source = up.path().string(), .target = uri_of(up.target)};
          },
          [](const transfer::Download& down) -> JobWords {
            return {.verb = "download",
                    .source = uri_of(down.source),
                    .target = (down.root / down.name).string()};
          },
          [](const transfer::Copy& copy) -> JobWords {
            return {.verb = "copy", .source = uri_of(copy.source), .target = uri_of(copy.target)};
          },
          [](const transfer::Remove& remove) -> JobWords {
            return {.verb = "remove", .target = uri_of(remove.target)};
          }},
      job);
}

void S3Report::tell(const boost::json::object& record, const std::string& line) {
  if (each_ == EachObject::quiet) return;
  Context& context = session_.context();
  if (context.globals.output == OutputFormat::json) {
    context.out << to_text(record) << '\n';
  } else if (context.globals.output == OutputFormat::text) {
    context.out << line << '\n';
  }
}

void S3Report::on_done(const Job& job, const transfer::Outcome& outcome) {
  const std::scoped_lock lock{mutex_};
  if (outcome.result) {
    ++succeeded_;
    if (each_ == EachObject::quiet) return;
  } else if (is_kept(job, outcome.result.error())) {
    ++kept_;
  } else if (succeeded_ == 0 && !common_ && concerns_all(outcome.result.error())) {
    common_ = outcome.result.error();
    session_.stop();
  }
  if (each_ == EachObject::quiet) return;
  const JobWords words = words_of(job);
  boost::json::object record{{"action", words.verb}};
  if (!words.source.empty()) record["source"] = for_json(words.source);
  record["target"] = for_json(words.target);
  if (!outcome.result && is_kept(job, outcome.result.error())) {
    record["result"] = "kept";
    tell(record, fmt::format("kept: {} is there already", printable(words.target)));
    return;
  }
  if (!outcome.result) {
    record["result"] = "failed";
    record["error"] = error_record(outcome.result.error());
    tell(record, fmt::format("{} failed: {}: {}", words.verb, arrow(words),
                             one_line(outcome.result.error())));
    return;
  }
  const transfer::Done& done = *outcome.result;
  record["result"] = "done";
  record["bytes"] = done.bytes;
  if (done.continued > 0) record["continued_bytes"] = done.continued;
  if (!done.etag.empty()) record["etag"] = done.etag;
  if (!done.version_id.empty()) record["version_id"] = done.version_id;
  record["elapsed_ms"] = outcome.elapsed.count();
  tell(record, fmt::format("{}: {} ({})", words.verb, arrow(words), bytes_in_words(done.bytes)));
}

void S3Report::on_notice(const Job& job, const std::string& notice) {
  const std::scoped_lock lock{mutex_};
  Context& context = session_.context();
  if (context.globals.output == OutputFormat::json) return;
  note(context, fmt::format("Note: {}: {}", arrow(words_of(job)), printable(notice)));
}

void S3Report::leave_out(const LeftOut& what) {
  const std::scoped_lock lock{mutex_};
  ++left_out_[std::string{what.code}];
  if (what.is_failure) ++left_out_failures_;
  if (listed_.size() < listed_at_most) listed_.push_back(what);
  if (each_ == EachObject::quiet) return;
  tell({{"action", what.verb},
        {"source", for_json(what.place)},
        {"result", "left_out"},
        {"reason", what.code},
        {"why", for_json(what.why)}},
       fmt::format("left out: {}: {}", printable(what.place), printable(what.why)));
}

void S3Report::removed_file(const std::string& path, std::uint64_t bytes) {
  const std::scoped_lock lock{mutex_};
  ++removed_files_;
  removed_bytes_ += bytes;
  tell({{"action", "remove"}, {"target", for_json(path)}, {"result", "done"}, {"bytes", bytes}},
       fmt::format("remove: {} ({})", printable(path), bytes_in_words(bytes)));
}

void S3Report::unchanged(std::uint64_t bytes) {
  const std::scoped_lock lock{mutex_};
  ++unchanged_;
  unchanged_bytes_ += bytes;
}

std::uint64_t S3Report::failed() const {
  const std::scoped_lock lock{mutex_};
  return left_out_failures_;
}

Summary S3Report::without_kept(Summary summary) const {
  const std::scoped_lock lock{mutex_};
  summary.failed -= std::min(summary.failed, kept_);
  std::erase_if(summary.failures, [](const transfer::Failure& failure) {
    return is_kept(failure.job, failure.error);
  });
  return summary;
}

boost::json::object S3Report::record(const Summary& summary) const {
  const std::scoped_lock lock{mutex_};
  boost::json::array failures;
  for (const transfer::Failure& failure : summary.failures) {
    const JobWords words = words_of(failure.job);
    boost::json::object record{{"action", words.verb}};
    if (!words.source.empty()) record["source"] = for_json(words.source);
    record["target"] = for_json(words.target);
    record["error"] = error_record(failure.error);
    failures.emplace_back(std::move(record));
  }
  boost::json::array left_out;
  for (const LeftOut& one : listed_) {
    left_out.emplace_back(boost::json::object{{"source", for_json(one.place)},
                                              {"reason", one.code},
                                              {"why", for_json(one.why)},
                                              {"failure", one.is_failure}});
  }
  boost::json::array open;
  for (const transfer::OpenUpload& upload : summary.left_open) {
    open.emplace_back(boost::json::object{{"target", uri_of(upload.target)},
                                          {"upload_id", upload.upload_id},
                                          {"bytes_there", upload.bytes_there},
                                          {"why", name_of(upload.why)},
                                          {"resumable", upload.why == transfer::LeftWhy::kept}});
  }
  boost::json::object removed = counts_record(summary.removed);
  if (removed_files_ > 0) {
    removed["objects"] = summary.removed.objects + removed_files_;
    removed["bytes"] = summary.removed.bytes + removed_bytes_;
  }
  return {{"uploaded", counts_record(summary.uploaded)},
          {"downloaded", counts_record(summary.downloaded)},
          {"copied", counts_record(summary.copied)},
          {"removed", std::move(removed)},
          {"unchanged", counts_record({.objects = unchanged_, .bytes = unchanged_bytes_})},
          {"kept", kept_},
          {"failed", summary.failed + left_out_failures_},
          {"failures", std::move(failures)},
          {"left_out", std::move(left_out)},
          {"not_begun", summary.not_begun},
          {"left_open", std::move(open)},
          {"moved_bytes", summary.moved},
          {"continued_bytes", summary.continued},
          {"retries", summary.retries},
          {"concurrency", summary.concurrency},
          {"interrupted", summary.interrupted},
          {"elapsed_ms", summary.elapsed.count()}};
}

std::string S3Report::summary_text(const Summary& summary) const {
  std::vector<std::string> parts;
  const auto add = [&](std::string part) {
    if (!part.empty()) parts.push_back(std::move(part));
  };
  add(counts_text("uploaded", summary.uploaded));
  add(counts_text("downloaded", summary.downloaded));
  add(counts_text("copied", summary.copied));
  add(counts_text("removed", summary.removed));
  if (removed_files_ > 0) {
    add(fmt::format("removed {} ({})", counted(removed_files_, "file"),
                    bytes_in_words(removed_bytes_)));
  }
  if (kept_ > 0) add(fmt::format("{} kept that were there", counted(kept_, "object")));
  if (unchanged_ > 0) add(fmt::format("{} already the same", counted(unchanged_, "file")));
  if (parts.empty()) parts.emplace_back("nothing was transferred");
  std::string text = join(parts, ", ");
  text.front() = static_cast<char>(text.front() >= 'a' ? text.front() - 'a' + 'A' : text.front());
  const auto seconds = std::chrono::duration<double>{summary.elapsed}.count();
  text += fmt::format(" in {}", duration_in_words(summary.elapsed));
  const std::uint64_t moved = summary.uploaded.bytes + summary.downloaded.bytes;
  if (moved > 0 && seconds > 0) {
    const auto rate = static_cast<double>(summary.moved) / seconds;
    text += fmt::format(", {}/s", bytes_in_words(static_cast<std::uint64_t>(rate)));
  }
  if (summary.continued > 0) {
    text += fmt::format(", {} of it by an earlier run", bytes_in_words(summary.continued));
  }
  return text + ".\n";
}

std::string S3Report::failures_text(const Summary& summary) const {
  std::string text;
  const bool told = each_ == EachObject::told;
  for (const transfer::Failure& failure : summary.failures) {
    if (told) break;
    text += fmt::format("Failed: {}: {}\n", arrow(words_of(failure.job)), one_line(failure.error));
  }
  std::map<std::string_view, std::string_view> harmless;
  for (const LeftOut& one : listed_) {
    if (!one.is_failure) harmless.emplace(one.code, one.why);
    if (told || !one.is_failure) continue;
    text += fmt::format("Left out: {}: {}.\n", printable(one.place), printable(one.why));
  }
  for (const auto& [code, why] : harmless) {
    const auto count = left_out_.find(code)->second;
    std::string first;
    for (const LeftOut& one : listed_) {
      if (one.code == code && first.empty()) first = one.place;
    }
    text += count == 1 ? fmt::format("Left out: {}: {}.\n", printable(first), printable(why))
                       : fmt::format("Left out: {} and {} more: {}.\n", printable(first), count - 1,
                                     printable(why));
  }
  const std::uint64_t unlisted =
      summary.failed - std::min<std::uint64_t>(summary.failed, summary.failures.size());
  if (!told && unlisted > 0)
    text += fmt::format("… and {} more failed (-v lists all).\n", unlisted);
  for (const transfer::OpenUpload& upload : summary.left_open) text += in_words(upload) + "\n";
  if (!summary.left_open.empty()) {
    text += fmt::format("To drop what is half up: {}\n", to_drop(summary.left_open.front()));
  }
  return text;
}

void add_left_open(const Summary& summary, Error& error) {
  for (const transfer::OpenUpload& upload : summary.left_open) {
    error.details.push_back(in_words(upload));
  }
  if (summary.left_open.empty()) return;
  error.details.push_back(
      fmt::format("To drop what is half up: {}", to_drop(summary.left_open.front())));
}

void add_what_was_before(const Summary& summary, Error& error) {
  const auto done = summary.uploaded.objects + summary.downloaded.objects + summary.copied.objects +
                    summary.removed.objects;
  if (done > 0) {
    error.details.push_back(fmt::format("{} had been done before that", counted(done, "object")));
  }
  // The rest fails again, or not, when the command is run again.
  const std::size_t told = std::min(summary.failures.size(), failures_in_details);
  for (const transfer::Failure& failure : std::span{summary.failures}.first(told)) {
    error.details.push_back(
        fmt::format("failed: {}: {}", arrow(words_of(failure.job)), one_line(failure.error)));
  }
  if (summary.failed > told) {
    error.details.push_back(fmt::format("… and {} more failed", summary.failed - told));
  }
  add_left_open(summary, error);
}

Result<ExitCode> S3Report::finish(const Summary& of_engine, bool single) {
  if (common_) {
    Error error = *common_;
    add_left_open(of_engine, error);
    return std::unexpected{std::move(error)};
  }
  Context& context = session_.context();
  const bool is_late = session_.is_late();
  const Summary summary = single ? of_engine : without_kept(of_engine);
  if (single && summary.failures.size() == 1 && !summary.interrupted) {
    Error error = summary.failures.front().error;
    add_left_open(summary, error);
    return std::unexpected{std::move(error)};
  }
  boost::json::object record = this->record(summary);
  if (context.globals.output == OutputFormat::json && each_ == EachObject::told) {
    context.out << to_text(boost::json::object{{"summary", std::move(record)}}) << '\n';
    context.out.flush();
  } else {
    present(context, {.text = summary_text(summary), .record = std::move(record)});
  }
  const std::uint64_t all_failed = summary.failed + failed();
  if (context.globals.output != OutputFormat::json) {
    const std::string failures = failures_text(summary);
    context.err << failures << std::flush;  // also with --quiet: what failed is no progress
    if (summary.interrupted) {
      note(context, is_late ? "Stopped by --timeout. The same command goes on where it stopped."
                            : "Stopped. The same command goes on where it stopped.");
    }
  }
  if (summary.interrupted) return is_late ? ExitCode::timed_out : ExitCode::cancelled;
  return all_failed > 0 ? ExitCode::partial : ExitCode::ok;
}

}  // namespace runctl::cli
