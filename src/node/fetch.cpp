#include "node/fetch.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "node/put_file.hpp"

namespace runctl::node {
namespace {

constexpr std::string_view job_name = "fetch";

// The MD5 that an ETag is, "-" for one of several parts or of another server's kind.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html, ETag.
std::string md5_of(std::string_view etag) {
  if (etag.starts_with('"') && etag.ends_with('"') && etag.size() > 1) {
    etag = etag.substr(1, etag.size() - 2);
  }
  const bool is_md5 =
      etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_md5 ? std::string{etag} : "-";
}

// An ETag of printable ASCII, as S3 gives them; anything else is not repeated to it.
std::string condition_of(std::string_view etag) {
  const bool is_plain =
      !etag.empty() && std::ranges::all_of(etag, [](char c) { return c > ' ' && c < '\x7f'; });
  return is_plain ? std::string{etag} : "-";
}

std::int64_t seconds_of(Timestamp when) {
  return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

// What has been gathered of another content is never gone on with.
std::string id_of(const FetchFile& file) {
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}", file.path, file.size, seconds_of(file.modified), file.etag);
  return hex(sha256(identity)).substr(0, 32);
}

// The codes of fetch.sh and fetch_worker.sh.
std::optional<FetchFault> fault_of(char code) {
  switch (code) {
    case 'h':
      return FetchFault::http;
    case 'c':
      return FetchFault::no_answer;
    case 's':
      return FetchFault::wrong_size;
    case 'm':
      return FetchFault::wrong_content;
    case 'x':
      return FetchFault::changed;
    case 'f':
      return FetchFault::disk_full;
    case 'w':
      return FetchFault::cannot_write;
    case 'l':
      return FetchFault::behind_link;
    case 'n':
      return FetchFault::no_directory;
    case 'd':
      return FetchFault::is_directory;
    case 'k':
      return FetchFault::killed;
    default:
      return std::nullopt;
  }
}

// "3h403 7s": each is the number of a file and what is the matter with it.
Result<std::vector<FetchFailure>> read_failures(std::string_view text, std::size_t count) {
  std::vector<FetchFailure> failures;
  const auto* at = text.data();
  const auto* const end = text.data() + text.size();
  while (at != end) {
    FetchFailure failure;
    const auto number = std::from_chars(at, end, failure.index);
    const bool is_known = number.ec == std::errc{} && number.ptr != end && failure.index < count;
    const auto fault = is_known ? fault_of(*number.ptr) : std::nullopt;
    if (!fault) return fail(Errc::corrupt, "what the machine says of failed objects is no list");
    failure.fault = *fault;
    at = number.ptr + 1;
    if (failure.fault == FetchFault::http) at = std::from_chars(at, end, failure.status).ptr;
    while (at != end && *at == ' ') ++at;
    failures.push_back(failure);
  }
  std::ranges::sort(failures, {}, &FetchFailure::index);
  return failures;
}

std::uint64_t count_at(const boost::json::value& record, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
}

}  // namespace

std::string in_words(const FetchFailure& failure) {
  switch (failure.fault) {
    case FetchFault::http:
      return fmt::format("the server answered {}", failure.status);
    case FetchFault::no_answer:
      return "no answer came, or it broke off";
    case FetchFault::wrong_size:
      return "what arrived has not the size that was listed";
    case FetchFault::wrong_content:
      return "what arrived has not the checksum that S3 has of it";
    case FetchFault::changed:
      return "it has changed since it was listed";
    case FetchFault::disk_full:
      return "the disk is full";
    case FetchFault::cannot_write:
      return "it cannot be written there";
    case FetchFault::behind_link:
      return "a symbolic link there is in its path";
    case FetchFault::no_directory:
      return "a file is where a directory of its path would be";
    case FetchFault::is_directory:
      return "a directory is where it would be";
    case FetchFault::killed:
      return "what downloaded it was ended";
  }
  std::unreachable();
}

std::string list_of(std::span<const FetchFile> files) {
  std::string list;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const FetchFile& file = files[i];
    list += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", i, id_of(file), file.size,
                        seconds_of(file.modified), md5_of(file.etag), condition_of(file.etag),
                        file.url.reveal(), file.path);
  }
  return list;
}

Result<Fetched> fetch(const Machine& machine, const FetchTarget& target,
                      std::span<const FetchFile> files, const JobWatch& watch,
                      const FetchOptions& options) {
  if (files.size() > fetch_limit) {
    return fail(Errc::invalid_argument, fmt::format("{} objects are more than the {} of one list",
                                                    files.size(), fetch_limit));
  }
  const std::string list = list_of(files);
  const std::string list_path = fmt::format("{}/{}.urls", options.list_directory, target.name());
  RUNCTL_TRY_LET(const auto put, put_file(machine, list_path, FileMode::owner_only, list));
  RUNCTL_TRY_LET(const auto record,
                 run_job(machine,
                         {.name = job_name,
                          .parameters = {{"VOLUME_ID", target.volume ? target.volume->str() : ""},
                                         {"FOLDER", target.volume ? "" : target.folder},
                                         {"LIST", put.path},
                                         {"LIST_SHA256", hex(sha256(list))},
                                         {"WORKER", script_text("fetch_worker")},
                                         {"FETCH_WITH", options.program},
                                         {"CLEAN", options.is_last ? "yes" : "no"},
                                         {"WAIT_SECONDS", "10"}}},
                         target.name(), watch));
  Fetched fetched{.directory = string_at(record, "directory").value_or(""),
                  .files = count_at(record, "fetched"),
                  .bytes = count_at(record, "bytes"),
                  .already = count_at(record, "skipped"),
                  .already_bytes = count_at(record, "skipped_bytes"),
                  .said = string_at(record, "said").value_or("")};
  RUNCTL_TRY_LET(fetched.failures,
                 read_failures(string_at(record, "failed").value_or("?"), files.size()));
  // Said twice, so that none can be lost.
  if (fetched.files + fetched.already + fetched.failures.size() != files.size()) {
    auto lost = fail(Errc::corrupt, fmt::format("instance {} says nothing of some of {} objects",
                                                machine.instance, files.size()));
    lost.error().effect = Effect::unknown;
    return lost;
  }
  return fetched;
}

Result<void> end_fetch(const Machine& machine, const FetchTarget& target) {
  RUNCTL_TRY_LET(const JobEnd end, stop_job(machine, job_name, target.name()));
  if (end != JobEnd::running) return {};
  auto busy =
      fail(Errc::conflict, fmt::format("instance {} still downloads to {}, and could not be "
                                       "stopped",
                                       machine.instance, target.name()));
  busy.error().hint = "It ends by itself; the same command goes on then.";
  return busy;
}

}  // namespace runctl::node
