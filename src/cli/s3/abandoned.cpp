#include "cli/s3/abandoned.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "aws/s3/multipart.hpp"
#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/session.hpp"
#include "transfer/ignore_rules.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

struct Abandoned {
  std::string key = {};
  std::string upload_id = {};
  Timestamp begun{};
  // In parts that have arrived; nothing where S3 tells them to who has the key alone (SSE-C).
  std::optional<std::uint64_t> bytes = {};
};

// Whose uploads are looked for.
struct Wanted {
  transfer::S3Uri uri = {};  // an object, and what is in the folder of that name
  transfer::NameFilter filter = {};
};

bool is_in(const Wanted& wanted, const std::string& key) {
  const std::string folder = transfer::folder_of(wanted.uri);
  if (key == wanted.uri.key) return wanted.filter.takes_file(last_component(key));
  return key.starts_with(folder) &&
         wanted.filter.takes_file(std::string_view{key}.substr(folder.size()));
}

Result<std::vector<Abandoned>> find_abandoned(S3Session& session, const Wanted& wanted,
                                              Timestamp before) {
  std::vector<Abandoned> found;
  aws::s3::ListMultipartUploadsRequest request{.bucket = wanted.uri.bucket,
                                               .prefix = wanted.uri.key,
                                               .request_payer = std::string{session.payer()}};
  while (true) {
    RUNCTL_TRY_LET(auto page, session.client().call<aws::s3::ListMultipartUploads>(
                                  request, session.options()));
    for (auto& upload : page.uploads) {
      const Timestamp begun = upload.initiated.value_or(Timestamp::max());
      if (begun > before || !is_in(wanted, upload.key)) continue;
      found.push_back(
          {.key = std::move(upload.key), .upload_id = std::move(upload.upload_id), .begun = begun});
    }
    if (!page.is_truncated.value_or(false) || page.next_key_marker.empty()) return found;
    request.key_marker = page.next_key_marker;
    request.upload_id_marker = page.next_upload_id_marker;
  }
}

// What is paid for. An upload that ends meanwhile has none.
Result<std::optional<std::uint64_t>> bytes_of(S3Session& session, const std::string& bucket,
                                              const Abandoned& upload) {
  std::uint64_t bytes = 0;
  aws::s3::ListPartsRequest request{.bucket = bucket,
                                    .key = upload.key,
                                    .upload_id = upload.upload_id,
                                    .request_payer = std::string{session.payer()}};
  while (true) {
    const auto page = session.client().call<aws::s3::ListParts>(request, session.options());
    if (!page && page.error().code == Errc::not_found) return 0;
    if (!page && page.error().code == Errc::invalid_argument) return std::nullopt;
    if (!page) return std::unexpected{page.error()};
    for (const auto& part : page->parts) {
      bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(part.size.value_or(0), 0));
    }
    if (!page->is_truncated.value_or(false) || !page->next_part_number_marker) {
      return bytes;
    }
    request.part_number_marker = page->next_part_number_marker;
  }
}

boost::json::object record_of(const std::string& bucket, const Abandoned& upload) {
  const boost::json::value bytes = upload.bytes ? boost::json::value(*upload.bytes) : nullptr;
  return {{"target", for_json(fmt::format("s3://{}/{}", bucket, upload.key))},
          {"upload_id", upload.upload_id},
          {"begun", iso8601(upload.begun)},
          {"bytes", bytes}};
}

std::string table_of(const std::vector<Abandoned>& uploads, Timestamp now) {
  Table table{{"BEGUN", "AGE", "SIZE", "OBJECT", "UPLOAD ID"}};
  for (const Abandoned& upload : uploads) {
    table.add({iso8601(upload.begun).substr(0, 19) + "Z", duration_in_words(now - upload.begun),
               upload.bytes ? bytes_in_words(*upload.bytes) : "not told",
               transfer::printable(upload.key), upload.upload_id});
  }
  return table.text();
}

Result<ExitCode> abort_all(S3Session& session, const std::string& bucket,
                           const std::vector<Abandoned>& uploads) {
  Context& context = session.context();
  boost::json::array aborted;
  boost::json::array failures;
  std::string failed;
  std::uint64_t bytes = 0;
  for (const Abandoned& upload : uploads) {
    const auto done = session.client().call<aws::s3::AbortMultipartUpload>(
        {.bucket = bucket,
         .key = upload.key,
         .upload_id = upload.upload_id,
         .request_payer = std::string{session.payer()}},
        session.options());
    // One that has ended meanwhile is what was wanted.
    if (done || done.error().code == Errc::not_found) {
      aborted.emplace_back(record_of(bucket, upload));
      bytes += upload.bytes.value_or(0);
      continue;
    }
    if (done.error().code == Errc::cancelled) return std::unexpected{done.error()};
    boost::json::object record = record_of(bucket, upload);
    record["error"] = error_record(done.error());
    failures.emplace_back(std::move(record));
    failed += fmt::format("Failed: s3://{}/{}: {}\n", bucket, transfer::printable(upload.key),
                          done.error().message);
  }
  const bool partly = !failures.empty();
  const std::uint64_t count = aborted.size();
  present(
      context,
      {.text = fmt::format("Aborted {} ({}).\n", counted(count, "upload"), bytes_in_words(bytes)),
       .record = {{"aborted", std::move(aborted)}, {"failures", std::move(failures)}}});
  if (context.globals.output != OutputFormat::json) context.err << failed << std::flush;
  return partly ? ExitCode::partial : ExitCode::ok;
}

}  // namespace

Result<ExitCode> abort_abandoned(const Arguments& arguments, Context& context) {
  Wanted wanted;
  RUNCTL_TRY_LET(wanted.uri, parse_uri(arguments, "S3URI"));
  RUNCTL_TRY_LET(wanted.filter, parse_filter(arguments));
  const transfer::S3Uri& uri = wanted.uri;
  RUNCTL_TRY_LET(const auto age, parse_duration(arguments.get("--older-than").value_or("1d")));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  const Timestamp now = context.clock.now();
  RUNCTL_TRY_LET(auto uploads, find_abandoned(*session, wanted, now - age));
  boost::json::array records;
  std::uint64_t bytes = 0;
  for (Abandoned& upload : uploads) {
    RUNCTL_TRY_LET(upload.bytes, bytes_of(*session, uri.bucket, upload));
    bytes += upload.bytes.value_or(0);
    records.emplace_back(record_of(uri.bucket, upload));
  }
  if (uploads.empty() || context.globals.dry_run) {
    std::string text =
        uploads.empty()
            ? fmt::format("There is no unfinished upload at {} that began more than {} ago.\n",
                          transfer::printable(to_text(uri)), duration_in_words(age))
            : fmt::format("{}It would abort {} ({}).\n", table_of(uploads, now),
                          counted(uploads.size(), "upload"), bytes_in_words(bytes));
    present(context,
            {.text = std::move(text),
             .record = {{"dry_run", context.globals.dry_run}, {"unfinished", std::move(records)}}});
    return ExitCode::ok;
  }
  if (context.globals.output == OutputFormat::text) note(context, table_of(uploads, now));
  RUNCTL_TRY(
      ask_consent(context, fmt::format("Abort {} ({})? What is up of them is deleted.",
                                       counted(uploads.size(), "upload"), bytes_in_words(bytes))));
  return abort_all(*session, uri.bucket, uploads);
}

}  // namespace runctl::cli
