// Uploading what a run writes to S3, on its machine, while it goes on and when it has ended: what
// scripts/upload.sh is given, and what it says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "aws/s3/post_policy.hpp"

namespace runctl::node {

struct UploadSpec {
  std::string url = {};  // that forms are posted to
  // All but `key`, `x-amz-checksum-sha256` and the file: whoever has them can upload.
  std::vector<aws::s3::FormField> form = {};
  std::string key_prefix = {};  // "folder/RUN/"; behind it come output/… and checkpoints/…
  std::string target = {};      // the same in words: "s3://bucket/folder/RUN/"
  std::chrono::sys_seconds expires = {};
  // Absolute; empty: `output` in the run's directory, which is made and given to the program.
  std::string output_directory = {};
  // A file that has been the same for so long is sent. Long enough for a writer that pauses between
  // two writes, and little beside what a checkpoint takes to be made.
  std::chrono::seconds interval{5};
};

// What runs beside the program, whole. `checkpoint_directory` may be empty.
[[nodiscard]] std::string uploader_text(const UploadSpec& spec,
                                        const std::string& checkpoint_directory);

struct UploadFailure {
  std::string path = {};  // below the prefix; what is no UTF-8 or a control character is '?'
  std::string why = {};
};

struct UploadReport {
  std::string target = {};
  bool is_finished = false;  // the last pass is over
  bool is_working = false;   // something is at work on it
  bool is_expired = false;   // S3 takes nothing more
  std::optional<std::chrono::sys_seconds> expires = {};
  std::uint64_t uploaded = 0;  // files
  std::uint64_t bytes = 0;     // that were sent for them
  std::uint64_t pending = 0;   // files that are still to be sent
  std::uint64_t failed_count = 0;
  std::vector<UploadFailure> failed = {};  // the first of them: as many as an answer has room for
  std::string trouble = {};                // why what was tried last has to be tried again

  // Nothing more comes of it.
  [[nodiscard]] bool is_over() const { return is_finished || !is_working; }
  // Everything that the run has written is there.
  [[nodiscard]] bool is_whole() const { return is_finished && failed_count == 0; }
};

// From run_status.sh's record; nothing where nothing is uploaded.
[[nodiscard]] std::optional<UploadReport> read_upload(const boost::json::value& record);

}  // namespace runctl::node
