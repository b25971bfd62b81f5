// Uploads: in one request from a buffer, in one from the file, or in parts.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/hasher.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "transfer/object_write.hpp"
#include "transfer/part_plan.hpp"
#include "transfer/parts_in_turn.hpp"
#include "transfer/upload_file.hpp"
#include "transfer/upload_record.hpp"
#include "transfer/work.hpp"

namespace runctl::transfer {
namespace {

// Up to here a file is read into memory at once, so that its checksum goes before it. 64 of them at
// a time are 16 MiB.
constexpr std::uint64_t greatest_buffered = std::uint64_t{256} << 10U;

// What a single request has to do with the body's checksum: nothing when it follows the body.
Result<std::optional<std::uint64_t>> crc_before(RunContext& run, const UploadFile& file,
                                                const Range& range, const std::stop_token& stop) {
  if (run.store.takes_checksum_behind()) return std::nullopt;
  RUNCTL_TRY_LET(const std::uint64_t crc, file.crc_of(range, run.options.checksum, stop));
  return crc;
}

Done done_from(const Stored& stored, const Tally& tally, std::uint64_t size, Verified verified) {
  return {.bytes = size,
          .moved = tally.moved.load(),
          .continued = tally.continued.load(),
          .retries = tally.retries.load(),
          .etag = stored.etag,
          .version_id = stored.version_id,
          .verified = verified};
}

Result<Done> put_buffered(RunContext& run, const Upload& job, const UploadFile& file) {
  std::vector<std::byte> bytes(file.size());
  RUNCTL_TRY(file.read(0, bytes));
  RUNCTL_TRY(file.check_unchanged());
  const CrcKind kind = run.options.checksum;
  const Expected expected{.target = job.target,
                          .size = file.size(),
                          .kind = kind,
                          .crc = crc(kind, bytes),
                          .condition = job.condition};
  const PutRequest request{.target = job.target,
                           .condition = job.condition,
                           .attributes = attributes_for(job, file.state(), run.options),
                           .checksum = kind,
                           .crc = expected.crc};
  Tally tally;
  RUNCTL_TRY_LET(const Stored stored,
                 make_visible(run, tally, run.stop, expected, [&]() -> Result<Stored> {
                   BufferSource source{run, tally, bytes, run.stop};
                   auto answer = run.store.put(request, source, run.stop);
                   if (!answer) source.take_back();
                   return answer;
                 }));
  RUNCTL_TRY_LET(const Verified verified, compare_answer(stored, expected));
  return done_from(stored, tally, file.size(), verified);
}

Result<Done> put_streamed(RunContext& run, const Upload& job, const UploadFile& file) {
  const Range whole{.first = 0, .length = file.size()};
  Expected expected{.target = job.target,
                    .size = file.size(),
                    .kind = run.options.checksum,
                    .condition = job.condition};
  PutRequest request{.target = job.target,
                     .condition = job.condition,
                     .attributes = attributes_for(job, file.state(), run.options),
                     .checksum = run.options.checksum};
  Tally tally;
  RUNCTL_TRY_LET(const Stored stored,
                 make_visible(run, tally, run.stop, expected, [&]() -> Result<Stored> {
                   RUNCTL_TRY_LET(request.crc, crc_before(run, file, whole, run.stop));
                   if (request.crc) expected.crc = request.crc;
                   FileSource source{run, tally, file, whole, run.stop};
                   auto answer = run.store.put(request, source, run.stop);
                   // Also without an answer: by it the object is known for ours.
                   if (const auto crc = source.whole_crc()) expected.crc = crc;
                   if (!answer) source.take_back();
                   return answer;
                 }));
  RUNCTL_TRY_LET(const Verified verified, compare_answer(stored, expected));
  return done_from(stored, tally, file.size(), verified);
}

class PartedUpload final : public Work {
 public:
  PartedUpload(RunContext& run, Job job, UploadFile file)
      : run_{run},
        job_{std::move(job)},
        upload_{std::get<Upload>(job_)},
        file_{std::move(file)},
        began_{run.clock.ticks()},
        turn_{run} {}

  // Finds the upload that an interrupted run has left, or creates one.
  [[nodiscard]] Result<void> begin();
  // Reports the job's end.
  void end(Result<Done> result);

  [[nodiscard]] std::optional<Piece> take() override;
  void run(const Piece& piece) override;
  [[nodiscard]] Again finish() override;

 private:
  [[nodiscard]] bool keeps() const {
    return run_.options.interrupted == Interrupted::keep && record_.has_value();
  }
  [[nodiscard]] Result<void> continue_from(const UploadNote& found);
  [[nodiscard]] Result<void> create();
  void report_unheard(const std::string& known);
  [[nodiscard]] UploadNote note() const;
  [[nodiscard]] Result<void> move(const Piece& piece);
  [[nodiscard]] Result<bool> is_there(const Piece& piece);
  [[nodiscard]] Result<Stored> send(const Piece& piece, std::uint64_t& crc);
  [[nodiscard]] Result<Done> complete();
  [[nodiscard]] Error give_up(Error error);

  RunContext& run_;
  Job job_;
  const Upload& upload_;
  UploadFile file_;
  std::chrono::steady_clock::time_point began_;
  PartsInTurn turn_;
  Tally tally_;
  std::optional<UploadRecord> record_;
  std::string upload_id_;
  std::uint64_t part_size_ = 0;
  std::vector<Part> parts_;  // by number less one; each is written by the thread that has it
  std::vector<std::uint64_t> crcs_;  // likewise
  std::vector<OpenUpload> left_;
  bool unheard_ = false;  // the note must say so until this run has ended, and told
};

UploadNote PartedUpload::note() const {
  return {.upload_id = upload_id_,
          .unheard = unheard_ || !left_.empty(),
          .part_size = part_size_,
          .file = file_.state(),
          .attributes = fingerprint(attributes_for(upload_, file_.state(), run_.options),
                                    run_.store.key_print()),
          .checksum = run_.options.checksum};
}

Result<void> PartedUpload::begin() {
  RUNCTL_TRY_LET(part_size_,
                 part_size_for(file_.size(), run_.options.part_size, run_.meter.measured()));
  if (!run_.options.resume_directory.empty()) {
    RUNCTL_TRY_LET(UploadRecord record,
                   UploadRecord::take(run_.options.resume_directory, run_.store.place(), upload_));
    record_.emplace(std::move(record));
    if (const auto found = record_->found()) RUNCTL_TRY(continue_from(*found));
  }
  if (upload_id_.empty()) RUNCTL_TRY(create());
  const std::uint64_t count = (file_.size() + part_size_ - 1) / part_size_;
  parts_.resize(count);
  crcs_.resize(count);
  return {};
}

Result<void> PartedUpload::continue_from(const UploadNote& found) {
  // That run was killed before it heard of an upload's id, or could tell of one that it had not.
  unheard_ = found.unheard || found.upload_id.empty();
  if (unheard_) report_unheard(found.upload_id);
  if (found.upload_id.empty()) return {};
  UploadNote now = note();
  now.upload_id = found.upload_id;
  now.unheard = found.unheard;
  now.part_size = found.part_size;
  const bool part_size_suits =
      run_.options.part_size == 0 || run_.options.part_size == found.part_size;
  if (now != found || !part_size_suits) {
    run_.reporter.notice(job_,
                         fmt::format("an unfinished upload of another state of {} was aborted",
                                     upload_.path().string()));
    abort_upload(run_, upload_.target, found.upload_id, left_);
    return {};
  }
  auto parts = with_retries<std::vector<Part>>(run_, tally_, turn_.token(), [&] {
    return run_.store.list_parts(upload_.target, found.upload_id, turn_.token());
  });
  if (!parts && parts.error().code == Errc::not_found) return {};  // completed or aborted since
  if (!parts) return std::unexpected{std::move(parts).error()};
  upload_id_ = found.upload_id;
  part_size_ = found.part_size;
  parts_.resize((file_.size() + part_size_ - 1) / part_size_);
  for (Part& part : *parts) {
    if (part.number > 0 && part.number <= parts_.size()) parts_[part.number - 1] = std::move(part);
  }
  return {};
}

// Whatever is open for the object, but for `known`. It may be somebody else's: it is not aborted.
void PartedUpload::report_unheard(const std::string& known) {
  const auto open = with_retries<std::vector<std::string>>(run_, tally_, turn_.token(), [&] {
    return run_.store.list_uploads(upload_.target, turn_.token());
  });
  if (!open) left_.push_back({.target = upload_.target});
  for (const std::string& id : open.value_or(std::vector<std::string>{})) {
    if (id != known) left_.push_back({.target = upload_.target, .upload_id = id});
  }
}

Result<void> PartedUpload::create() {
  if (record_) RUNCTL_TRY(record_->write(note()));
  const CreateRequest request{.target = upload_.target,
                              .attributes = attributes_for(upload_, file_.state(), run_.options),
                              .checksum = run_.options.checksum};
  auto created = create_upload(run_, tally_, turn_.token(), request, left_);
  if (!created) {
    if (record_) RUNCTL_TRY(record_->remove());
    return std::unexpected{std::move(created).error()};
  }
  upload_id_ = *std::move(created);
  if (!record_) return {};
  if (auto written = record_->write(note()); !written) {
    abort_upload(run_, upload_.target, upload_id_, left_);
    return written;
  }
  return {};
}

std::optional<Piece> PartedUpload::take() { return turn_.take(file_.size(), part_size_); }

void PartedUpload::run(const Piece& piece) {
  auto moved = move(piece);
  if (moved) return;
  turn_.fail(std::move(moved).error());
}

// Whether S3 has the part as the file has it now.
Result<bool> PartedUpload::is_there(const Piece& piece) {
  const Part& part = parts_[piece.number - 1];
  if (part.size != piece.range.length) return false;
  RUNCTL_TRY_LET(const std::uint64_t crc,
                 file_.crc_of(piece.range, run_.options.checksum, turn_.token()));
  crcs_[piece.number - 1] = crc;
  if (part.checksum && part.checksum->algorithm == crc_name(run_.options.checksum)) {
    return part.checksum->value == crc_text(run_.options.checksum, crc);
  }
  // A server without checksums: its ETag is the part's MD5, or else the part is sent again.
  Hasher md5{HashKind::md5};
  std::vector<std::byte> buffer(greatest_buffered);
  for (std::uint64_t at = 0; at < piece.range.length; at += buffer.size()) {
    const auto some =
        std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), piece.range.length - at));
    RUNCTL_TRY(file_.read(piece.range.first + at, some));
    md5.update(some);
  }
  return part.etag == '"' + hex(md5.digest()) + '"';
}

Result<void> PartedUpload::move(const Piece& piece) {
  Part& part = parts_[piece.number - 1];
  RUNCTL_TRY_LET(const bool there, is_there(piece));
  if (there) {
    part.number = piece.number;
    tally_.continued.fetch_add(piece.range.length);
    run_.progress.bytes_done.fetch_add(piece.range.length, std::memory_order_relaxed);
    return {};
  }
  std::uint64_t crc = 0;
  auto stored = with_retries<Stored>(run_, tally_, turn_.token(), [&] { return send(piece, crc); });
  if (!stored) return std::unexpected{std::move(stored).error()};
  crcs_[piece.number - 1] = crc;
  part = {.number = piece.number, .size = piece.range.length, .etag = stored->etag};
  part.checksum = Checksum{.algorithm = std::string{crc_name(run_.options.checksum)},
                           .value = crc_text(run_.options.checksum, crc)};
  return {};
}

Result<Stored> PartedUpload::send(const Piece& piece, std::uint64_t& crc) {
  PartRequest request{
      .part = {.target = upload_.target, .upload_id = upload_id_, .number = piece.number},
      .checksum = run_.options.checksum};
  RUNCTL_TRY_LET(request.crc, crc_before(run_, file_, piece.range, turn_.token()));
  FileSource source{run_, tally_, file_, piece.range, turn_.token()};
  auto stored = run_.store.upload_part(request, source, turn_.token());
  if (!stored) {
    source.take_back();
    return stored;
  }
  crc = source.crc();
  const Expected expected{.target = upload_.target,
                          .size = piece.range.length,
                          .kind = run_.options.checksum,
                          .crc = crc};
  if (auto compared = compare_answer(*stored, expected); !compared) {
    source.take_back();
    return std::unexpected{std::move(compared).error()};
  }
  return stored;
}

Result<Done> PartedUpload::complete() {
  RUNCTL_TRY(file_.check_unchanged());
  const CrcKind kind = run_.options.checksum;
  std::uint64_t whole = 0;
  for (std::size_t at = 0; at < parts_.size(); ++at) {
    whole = at == 0 ? crcs_[0] : crc_combine(kind, whole, crcs_[at], parts_[at].size);
  }
  const Expected expected{.target = upload_.target,
                          .size = file_.size(),
                          .kind = kind,
                          .crc = whole,
                          .condition = upload_.condition};
  const CompleteRequest request{.target = upload_.target,
                                .upload_id = upload_id_,
                                .condition = upload_.condition,
                                .parts = parts_,
                                .size = file_.size(),
                                .checksum = kind,
                                .crc = whole};
  RUNCTL_TRY_LET(const Stored stored, make_visible(run_, tally_, turn_.token(), expected, [&] {
                   return run_.store.complete_upload(request, turn_.token());
                 }));
  upload_id_.clear();  // it is no more
  if (record_) RUNCTL_TRY(record_->remove());
  RUNCTL_TRY_LET(const Verified verified, compare_answer(stored, expected));
  Done done = done_from(stored, tally_, file_.size(), verified);
  done.parts = static_cast<unsigned>(parts_.size());
  return done;
}

// Keeps or aborts what is there, and adds to the error which.
Error PartedUpload::give_up(Error error) {
  if (upload_id_.empty()) return error;
  std::uint64_t there = 0;
  for (const Part& part : parts_) there += part.size;
  // Parts of a file that is not the same any more are of no use to anyone.
  const bool useless = !file_.check_unchanged().has_value();
  if (keeps() && !useless) {
    left_.push_back({.target = upload_.target,
                     .upload_id = upload_id_,
                     .bytes_there = there,
                     .why = LeftWhy::kept});
    error.details.push_back(fmt::format("{} of {} are kept in the multipart upload {}",
                                        bytes_in_words(there), bytes_in_words(file_.size()),
                                        upload_id_));
    if (error.hint.empty()) error.hint = "the same upload continues it";
    return error;
  }
  const std::size_t before = left_.size();
  abort_upload(run_, upload_.target, upload_id_, left_);
  if (left_.size() == before) {
    if (record_ && !record_->remove())
      error.details.emplace_back("its record could not be removed");
    error.details.push_back(fmt::format("its multipart upload {} was aborted", upload_id_));
  } else {
    error.details.push_back(fmt::format(
        "its multipart upload {} could not be aborted, and costs money until it is", upload_id_));
  }
  return error;
}

Work::Again PartedUpload::finish() {
  if (auto error = turn_.end(job_, parts_.size())) {
    end(std::unexpected{*std::move(error)});
  } else {
    end(complete());
  }
  return Again::no;
}

void PartedUpload::end(Result<Done> result) {
  if (!result) result = std::unexpected{give_up(std::move(result).error())};
  Outcome outcome = ended(run_, began_, std::move(result));
  outcome.left = std::move(left_);
  run_.reporter.done(job_, outcome);
}

}  // namespace

std::shared_ptr<Work> begin_upload(RunContext& run, const Job& job) {
  const auto began = run.clock.ticks();
  const auto& upload = std::get<Upload>(job);
  auto file = UploadFile::open(upload, run.clock, run.stop);
  if (!file) {
    run.reporter.done(job, ended(run, began, std::unexpected{std::move(file).error()}));
    return nullptr;
  }
  run.progress.bytes_begun.fetch_add(file->size(), std::memory_order_relaxed);
  const std::uint64_t asked = run.options.part_size;
  const std::uint64_t threshold =
      std::clamp(asked > 0 ? std::min(asked, run.options.multipart_threshold)
                           : run.options.multipart_threshold,
                 least_part, greatest_part);
  if (file->size() <= greatest_buffered) {
    run.reporter.done(job, ended(run, began, put_buffered(run, upload, *file)));
    return nullptr;
  }
  if (file->size() <= threshold) {
    run.reporter.done(job, ended(run, began, put_streamed(run, upload, *file)));
    return nullptr;
  }
  auto work = std::make_shared<PartedUpload>(run, job, *std::move(file));
  if (auto begun = work->begin(); !begun) {
    work->end(std::unexpected{std::move(begun).error()});
    return nullptr;
  }
  return work;
}

}  // namespace runctl::transfer
