// What uploads and copies have in common: what a new object carries, and how it is known to be
// there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/random_access_file.hpp"
#include "transfer/object_store.hpp"
#include "transfer/outcome.hpp"
#include "transfer/run_context.hpp"

namespace runctl::transfer {

// The job's attributes, with the file's time and mode as the options want them noted.
[[nodiscard]] Attributes attributes_for(const Upload& job, const FileState& file,
                                        const Options& options);

// What an object is to be, to tell whether a request whose answer was lost has made it.
struct Expected {
  ObjectName target = {};
  std::uint64_t size = 0;
  CrcKind kind = CrcKind::crc64nvme;
  std::optional<std::uint64_t> crc = {};  // absent: it cannot be told
  TargetCondition condition = {};
};

// Sends what makes an object visible, with retries. When an answer was lost, and S3 then refuses,
// or there is no answer at all, looks at the object: if it is the expected one, the first request
// has made it. Errors: those of `request`.
[[nodiscard]] Result<Stored> make_visible(RunContext& run, Tally& tally,
                                          const std::stop_token& stop, const Expected& expected,
                                          const std::function<Result<Stored>()>& request);

// Errors: corrupt when the answer names another checksum than ours; then `full_object`, or
// `by_server` when there is none to compare.
[[nodiscard]] Result<Verified> compare_answer(const Stored& stored, const Expected& expected);

// Creates a multipart upload. An answer that was lost may leave one behind that nobody knows: what
// is open for the key afterwards goes to `left`. Errors: the store's.
[[nodiscard]] Result<std::string> create_upload(RunContext& run, Tally& tally,
                                                const std::stop_token& stop,
                                                const CreateRequest& request,
                                                std::vector<OpenUpload>& left);

// Aborts an upload, and looks whether it is gone: a part that was on its way may have kept it.
// Not stopped with the run. When it cannot, says so in `left`.
void abort_upload(RunContext& run, const ObjectName& target, const std::string& upload_id,
                  std::vector<OpenUpload>& left);

}  // namespace runctl::transfer
