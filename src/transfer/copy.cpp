// Copies inside S3: the bytes never come here.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "transfer/object_write.hpp"
#include "transfer/parts_in_turn.hpp"
#include "transfer/work.hpp"

namespace runctl::transfer {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

// Nothing passes through this machine, so parts are as large as keeps their number small and
// several of them going at once. Source: AWS, "Copying an object using multipart upload", which
// uses 5 MiB to 5 GiB; S3 copies a part at some 100 to 200 MB/s.
std::uint64_t copy_part_size(std::uint64_t size, std::uint64_t asked) {
  const std::uint64_t least = (size + greatest_part_count - 1) / greatest_part_count;
  const std::uint64_t wanted = asked > 0 ? asked : std::clamp(size / 64, 256 * mib, 1024 * mib);
  return (std::max(wanted, least) + mib - 1) / mib * mib;
}

// What CopyObject gives a copy, for one that is made in parts.
Attributes attributes_of_copy(const Copy& copy, const ObjectFacts& source) {
  if (copy.replaces_headers) return copy.attributes;
  Attributes attributes = source.attributes;
  attributes.storage_class = copy.attributes.storage_class;
  attributes.server_side_encryption = copy.attributes.server_side_encryption;
  attributes.kms_key_id = copy.attributes.kms_key_id;
  attributes.acl = copy.attributes.acl;
  return attributes;
}

class PartedCopy final : public Work {
 public:
  PartedCopy(RunContext& run, Job job, ObjectFacts facts)
      : run_{run},
        job_{std::move(job)},
        copy_{std::get<Copy>(job_)},
        facts_{std::move(facts)},
        part_size_{copy_part_size(facts_.size, run.options.part_size)},
        parts_((facts_.size + part_size_ - 1) / part_size_),
        began_{run.clock.ticks()},
        turn_{run} {}

  [[nodiscard]] Result<void> begin();
  void end(Result<Done> result);

  [[nodiscard]] std::optional<Piece> take() override;
  void run(const Piece& piece) override;
  [[nodiscard]] Again finish() override;

 private:
  [[nodiscard]] Result<Done> complete();
  // What S3 knows of the source, where that can be compared with the copy.
  [[nodiscard]] std::optional<std::uint64_t> source_crc() const;

  RunContext& run_;
  Job job_;
  const Copy& copy_;
  ObjectFacts facts_;
  std::uint64_t part_size_;
  std::vector<Part> parts_;
  std::chrono::steady_clock::time_point began_;
  PartsInTurn turn_;
  Tally tally_;
  std::string upload_id_;
  std::vector<OpenUpload> left_;
};

Result<void> PartedCopy::begin() {
  if (facts_.tags > 0) {
    run_.reporter.notice(job_, fmt::format("its tags ({}) are not copied: S3 copies them only with "
                                           "objects of up to {}",
                                           facts_.tags, bytes_in_words(greatest_copy)));
  }
  RUNCTL_TRY_LET(upload_id_, create_upload(run_, tally_, turn_.token(),
                                           {.target = copy_.target,
                                            .attributes = attributes_of_copy(copy_, facts_),
                                            .checksum = run_.options.checksum},
                                           left_));
  return {};
}

std::optional<Piece> PartedCopy::take() { return turn_.take(facts_.size, part_size_); }

void PartedCopy::run(const Piece& piece) {
  const PartCopyRequest request{
      .source = copy_.source,
      .source_if_match = facts_.etag,
      .part = {.target = copy_.target, .upload_id = upload_id_, .number = piece.number},
      .first = piece.range.first,
      .length = piece.range.length};
  auto stored = with_retries<Stored>(run_, tally_, turn_.token(),
                                     [&] { return run_.store.copy_part(request, turn_.token()); });
  if (stored) {
    parts_[piece.number - 1] = {.number = piece.number,
                                .size = piece.range.length,
                                .etag = stored->etag,
                                .checksum = stored->checksum};
    run_.progress.bytes_done.fetch_add(piece.range.length, std::memory_order_relaxed);
    return;
  }
  turn_.fail(std::move(stored).error());
}

std::optional<std::uint64_t> PartedCopy::source_crc() const {
  const auto& checksum = facts_.checksum;
  if (!checksum || !checksum->full_object ||
      checksum->algorithm != crc_name(run_.options.checksum)) {
    return std::nullopt;
  }
  return parse_crc(run_.options.checksum, checksum->value);
}

Result<Done> PartedCopy::complete() {
  const Expected expected{.target = copy_.target,
                          .size = facts_.size,
                          .kind = run_.options.checksum,
                          .crc = source_crc(),
                          .condition = copy_.condition};
  const CompleteRequest request{.target = copy_.target,
                                .upload_id = upload_id_,
                                .condition = copy_.condition,
                                .parts = parts_,
                                .size = facts_.size,
                                .checksum = run_.options.checksum,
                                .crc = expected.crc};
  RUNCTL_TRY_LET(const Stored stored, make_visible(run_, tally_, turn_.token(), expected, [&] {
                   return run_.store.complete_upload(request, turn_.token());
                 }));
  upload_id_.clear();
  RUNCTL_TRY_LET(const Verified verified, compare_answer(stored, expected));
  return Done{.bytes = facts_.size,
              .parts = static_cast<unsigned>(parts_.size()),
              .retries = tally_.retries.load(),
              .etag = stored.etag,
              .version_id = stored.version_id,
              .verified = verified};
}

Work::Again PartedCopy::finish() {
  if (auto error = turn_.end(job_, parts_.size())) {
    end(std::unexpected{*std::move(error)});
  } else {
    end(complete());
  }
  return Again::no;
}

void PartedCopy::end(Result<Done> result) {
  // Not kept: a copy costs no bandwidth to make again.
  if (!result && !upload_id_.empty()) abort_upload(run_, copy_.target, upload_id_, left_);
  Outcome outcome = ended(run_, began_, std::move(result));
  outcome.left = std::move(left_);
  run_.reporter.done(job_, outcome);
}

Result<Done> copy_whole(RunContext& run, const Copy& copy, std::uint64_t size, Tally& tally) {
  const CopyRequest request{.source = copy.source,
                            .source_if_match = copy.etag,
                            .target = copy.target,
                            .condition = copy.condition,
                            .attributes = copy.attributes,
                            .replaces_headers = copy.replaces_headers};
  RUNCTL_TRY_LET(const Stored stored,
                 make_visible(run, tally, run.stop,
                              {.target = copy.target, .size = size, .condition = copy.condition},
                              [&] { return run.store.copy(request, run.stop); }));
  run.progress.bytes_done.fetch_add(size, std::memory_order_relaxed);
  run.meter.count(0);
  return Done{.bytes = size,
              .retries = tally.retries.load(),
              .etag = stored.etag,
              .version_id = stored.version_id,
              .verified = Verified::by_server};
}

}  // namespace

std::shared_ptr<Work> begin_copy(RunContext& run, const Job& job) {
  const auto began = run.clock.ticks();
  const Copy& copy = std::get<Copy>(job);
  Tally tally;
  std::optional<ObjectFacts> facts;
  const std::uint64_t threshold = std::min(run.options.copy_threshold, greatest_copy);
  if (!copy.size || *copy.size > threshold) {
    auto looked = with_retries<ObjectFacts>(
        run, tally, run.stop, [&] { return run.store.head_source(copy.source, run.stop); });
    if (looked && !copy.etag.empty() && looked->etag != copy.etag) {
      looked = fail(Errc::precondition,
                    fmt::format("{} was replaced since it was listed", to_text(copy.source)));
    }
    if (!looked) {
      run.reporter.done(job, ended(run, began, std::unexpected{std::move(looked).error()}));
      return nullptr;
    }
    facts = *std::move(looked);
  }
  const std::uint64_t size = facts ? facts->size : *copy.size;
  run.progress.bytes_begun.fetch_add(size, std::memory_order_relaxed);
  if (size <= threshold) {
    run.reporter.done(job, ended(run, began, copy_whole(run, copy, size, tally)));
    return nullptr;
  }
  auto work = std::make_shared<PartedCopy>(run, job, *std::move(facts));
  if (auto begun = work->begin(); !begun) {
    work->end(std::unexpected{std::move(begun).error()});
    return nullptr;
  }
  return work;
}

}  // namespace runctl::transfer
