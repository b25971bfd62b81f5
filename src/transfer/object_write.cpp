#include "transfer/object_write.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace runctl::transfer {
namespace {

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;
constexpr int looks_after_abort = 3;

bool has(const Attributes& attributes, std::string_view name) {
  return std::ranges::any_of(attributes.metadata,
                             [name](const auto& entry) { return entry.first == name; });
}

// The object at the target, if it is the expected one.
std::optional<Stored> already_there(RunContext& run, const std::stop_token& stop,
                                    const Expected& expected) {
  if (!expected.crc) return std::nullopt;
  const auto facts = run.store.head(expected.target, stop);
  if (!facts || facts->size != expected.size || !facts->checksum) return std::nullopt;
  const Checksum& checksum = *facts->checksum;
  if (!checksum.full_object || checksum.value != crc_text(expected.kind, *expected.crc)) {
    return std::nullopt;
  }
  return Stored{.etag = facts->etag, .version_id = facts->version_id, .checksum = checksum};
}

Error say_condition(Error error, const Expected& expected) {
  if (!is_status(error, 412)) return error;
  if (expected.condition.absent) {
    error.message = fmt::format("the object {} exists already", to_text(expected.target));
  } else if (!expected.condition.etag.empty()) {
    error.message = fmt::format("the object {} is no longer what it was", to_text(expected.target));
  }
  return error;
}

}  // namespace

Attributes attributes_for(const Upload& job, const FileState& file, const Options& options) {
  Attributes attributes = job.attributes;
  if (options.keep_time && !has(attributes, "mtime")) {
    // As rclone writes it: seconds, with a fraction.
    std::int64_t seconds = file.modified_ns / nanoseconds_a_second;
    std::int64_t rest = file.modified_ns % nanoseconds_a_second;
    if (rest < 0) {
      rest += nanoseconds_a_second;
      --seconds;
    }
    attributes.metadata.emplace_back("mtime", fmt::format("{}.{:09}", seconds, rest));
  }
  if (options.keep_mode && !has(attributes, "mode")) {
    attributes.metadata.emplace_back("mode", fmt::format("{:04o}", file.mode & 0777U));
  }
  return attributes;
}

Result<Stored> make_visible(RunContext& run, Tally& tally, const std::stop_token& stop,
                            const Expected& expected,
                            const std::function<Result<Stored>()>& request) {
  bool answer_lost = false;
  auto stored = with_retries<Stored>(run, tally, stop, [&]() -> Result<Stored> {
    auto answer = request();
    if (answer) return answer;
    answer_lost = answer_lost || answer.error().effect != Effect::not_applied;
    // Refused after a lost answer: the upload is gone, or the condition fails, for our own sake.
    const bool refused = is_status(answer.error(), 404) || is_status(answer.error(), 409) ||
                         is_status(answer.error(), 412);
    if (answer_lost && refused) {
      if (auto found = already_there(run, stop, expected)) return *std::move(found);
    }
    return answer;
  });
  if (stored) return stored;
  if (!answer_lost) return std::unexpected{say_condition(std::move(stored).error(), expected)};
  // Not under the run's stop: it must be known what has become of it.
  if (auto found = already_there(run, {}, expected)) return *std::move(found);
  stored.error().effect = Effect::unknown;
  return stored;
}

Result<Verified> compare_answer(const Stored& stored, const Expected& expected) {
  if (!expected.crc || !stored.checksum || !stored.checksum->full_object ||
      stored.checksum->algorithm != crc_name(expected.kind)) {
    return Verified::by_server;
  }
  const std::string ours = crc_text(expected.kind, *expected.crc);
  if (stored.checksum->value == ours) return Verified::full_object;
  auto failure =
      fail(Errc::corrupt, fmt::format("{} is stored with the {} {}, but was sent with {}",
                                      to_text(expected.target), stored.checksum->algorithm,
                                      stored.checksum->value, ours));
  failure.error().hint = "the object is not what the file is: do not use it, and upload it again";
  return failure;
}

Result<std::string> create_upload(RunContext& run, Tally& tally, const std::stop_token& stop,
                                  const CreateRequest& request, std::vector<OpenUpload>& left) {
  bool answer_lost = false;
  auto upload_id = with_retries<std::string>(run, tally, stop, [&] {
    auto answer = run.store.create_upload(request, stop);
    if (!answer && answer.error().effect != Effect::not_applied) answer_lost = true;
    return answer;
  });
  if (!answer_lost) return upload_id;
  // One of these may be ours; or all are somebody else's, so that none is aborted here.
  const auto open = with_retries<std::vector<std::string>>(
      run, tally, stop, [&] { return run.store.list_uploads(request.target, {}); });
  if (!open) {
    left.push_back({.target = request.target});  // perhaps: its id is not known
    return upload_id;
  }
  for (const std::string& id : *open) {
    if (!upload_id || id != *upload_id) left.push_back({.target = request.target, .upload_id = id});
  }
  return upload_id;
}

void abort_upload(RunContext& run, const ObjectName& target, const std::string& upload_id,
                  std::vector<OpenUpload>& left) {
  Tally tally;
  for (int look = 0; look < looks_after_abort; ++look) {
    const auto aborted = with_retries<void>(
        run, tally, {}, [&] { return run.store.abort_upload(target, upload_id, {}); });
    if (!aborted) break;
    const auto parts = run.store.list_parts(target, upload_id, {});
    if (!parts && parts.error().code == Errc::not_found) return;
  }
  left.push_back({.target = target, .upload_id = upload_id, .why = LeftWhy::not_aborted});
}

}  // namespace runctl::transfer
