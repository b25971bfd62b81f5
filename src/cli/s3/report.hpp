// What became of a command's objects: lines or records as they end, a summary, an exit code.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/s3/session.hpp"
#include "transfer/job.hpp"
#include "transfer/outcome.hpp"

namespace runctl::cli {

// Something that is no job, and should be known.
struct LeftOut {
  std::string_view verb;       // "upload"
  std::string place = {};      // a path or a URI, as it is
  std::string_view code = {};  // "symlink": stable, for programs
  std::string why = {};        // a sentence's second half: "it is a symbolic link"
  bool is_failure = false;     // somebody may want it, and does not get it
};

enum class EachObject : bool { quiet, told };

// With -v each object is a line of text, or of JSON; the summary is the last of them then. Thread
// safety: everything may be called from several threads at once.
class S3Report final : public transfer::Observer {
 public:
  S3Report(S3Session& session, EachObject each) : session_{session}, each_{each} {}

  void on_done(const transfer::Job& job, const transfer::Outcome& outcome) override;
  void on_notice(const transfer::Job& job, const std::string& notice) override;

  void leave_out(const LeftOut& what);
  // A local file that sync has deleted.
  void removed_file(const std::string& path, std::uint64_t bytes);
  // An object that was found to be the same.
  void unchanged(std::uint64_t bytes);

  [[nodiscard]] std::uint64_t failed() const;
  // Of all that the summary says, to go into a command's own.
  [[nodiscard]] boost::json::object record(const transfer::Summary& summary) const;

  // Prints the summary and what is left to do. Exit: 0; 7 when something failed; 130 and 6 when it
  // was stopped. When a single job was asked for, or everything fails for one reason (no such
  // bucket, no access), its error is the result. Of many, one whose target is there already under
  // --if-none-match is no failure.
  [[nodiscard]] Result<ExitCode> finish(const transfer::Summary& of_engine, bool single);

 private:
  // Without what is no failure: targets that were to be kept.
  [[nodiscard]] transfer::Summary without_kept(transfer::Summary summary) const;
  void tell(const boost::json::object& record, const std::string& line);
  [[nodiscard]] std::string summary_text(const transfer::Summary& summary) const;
  [[nodiscard]] std::string failures_text(const transfer::Summary& summary) const;

  S3Session& session_;
  EachObject each_;
  mutable std::mutex mutex_;
  std::uint64_t left_out_failures_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> left_out_;  // by code
  std::vector<LeftOut> listed_;                                 // the first of them
  std::uint64_t kept_ = 0;  // targets that were there already, and were not to be written
  std::uint64_t unchanged_ = 0;
  std::uint64_t unchanged_bytes_ = 0;
  std::uint64_t removed_files_ = 0;
  std::uint64_t removed_bytes_ = 0;
  std::uint64_t succeeded_ = 0;
  std::optional<Error> common_;  // what every job fails with
};

// Adds to an error that is all that is told which uploads are left in the bucket.
void add_left_open(const transfer::Summary& summary, Error& error);
// The same, and what had been done and had failed before.
void add_what_was_before(const transfer::Summary& summary, Error& error);

// Valid UTF-8 as it is, anything else as transfer::printable has it.
[[nodiscard]] std::string for_json(std::string_view name);

// "upload", and what it is from and to: paths and URIs.
struct JobWords {
  std::string_view verb;
  std::string source = {};
  std::string target = {};
};
[[nodiscard]] JobWords words_of(const transfer::Job& job);

}  // namespace runctl::cli
