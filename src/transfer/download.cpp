// Downloads: in one request, or in ranges that several threads place where they belong.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/units.hpp"
#include "transfer/download_verify.hpp"
#include "transfer/file_attributes.hpp"
#include "transfer/part_plan.hpp"
#include "transfer/partial_file.hpp"
#include "transfer/work.hpp"

namespace runctl::transfer {
namespace {

// How often an object may be replaced, or arrive damaged, before its download is given up.
constexpr int greatest_restarts = 3;

std::optional<CrcKind> kind_of(const ObjectFacts& facts) {
  for (const CrcKind kind : {CrcKind::crc32, CrcKind::crc32c, CrcKind::crc64nvme}) {
    if (facts.checksum && facts.checksum->algorithm == crc_name(kind)) return kind;
  }
  return std::nullopt;
}

// Writes what one request brings at its place in the file, and hashes it on the way.
class RangeSink final : public ByteSink {
 public:
  struct Target {
    const RandomAccessFile& file;
    Range range;                            // what was asked for
    std::optional<CrcKind> kind = {};       // absent: the object's own
    const ObjectFacts* expected = nullptr;  // nullptr: whatever it is
  };

  RangeSink(RunContext& run, Tally& tally, const Target& target, std::stop_token stop)
      : run_{run}, tally_{tally}, target_{target}, stop_{std::move(stop)} {}

  [[nodiscard]] Result<void> begin(const ObjectFacts& facts) override;
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes) override;

  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  [[nodiscard]] std::uint64_t crc() const { return crc_.value(); }
  [[nodiscard]] const std::optional<ObjectFacts>& facts() const { return facts_; }
  // What was written is void.
  void take_back();

 private:
  RunContext& run_;
  Tally& tally_;
  Target target_;
  std::stop_token stop_;
  std::optional<ObjectFacts> facts_;
  Crc crc_{CrcKind::crc64nvme};
  std::uint64_t arrived_ = 0;
};

Result<void> RangeSink::begin(const ObjectFacts& facts) {
  take_back();
  if (target_.expected == nullptr) {
    target_.range.length = facts.size;
  } else if (facts.etag != target_.expected->etag || facts.size != target_.expected->size) {
    // If-Match should have seen to that; here is a server that does not know it.
    return fail(Errc::precondition, "the object was replaced while it was read");
  }
  facts_ = facts;
  crc_ = Crc{target_.kind.value_or(kind_of(facts).value_or(CrcKind::crc64nvme))};
  return {};
}

Result<void> RangeSink::write(std::span<const std::byte> bytes) {
  tally_.moved.fetch_add(bytes.size(), std::memory_order_relaxed);
  run_.progress.moved.fetch_add(bytes.size(), std::memory_order_relaxed);
  run_.meter.count(bytes.size());
  if (bytes.size() > target_.range.length - arrived_) {
    return fail(Errc::corrupt, "more bytes came than were asked for");
  }
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min<std::uint64_t>(run_.bandwidth.portion(), bytes.size()));
    RUNCTL_TRY(run_.bandwidth.take(piece.size(), stop_));
    RUNCTL_TRY(target_.file.write_at(target_.range.first + arrived_, piece));
    crc_.update(piece);
    arrived_ += piece.size();
    run_.progress.bytes_done.fetch_add(piece.size(), std::memory_order_relaxed);
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

void RangeSink::take_back() {
  run_.progress.bytes_done.fetch_sub(arrived_, std::memory_order_relaxed);
  arrived_ = 0;
}

class FileDownload final : public Work {
 public:
  FileDownload(RunContext& run, Job job)
      : run_{run},
        job_{std::move(job)},
        download_{std::get<Download>(job_)},
        began_{run.clock.ticks()},
        stop_{std::make_unique<OwnStop>(run.stop)} {}

  [[nodiscard]] Result<void> begin();
  // In one request, and therefore by one thread.
  [[nodiscard]] bool is_whole() const { return whole_; }
  void end(Result<Done> result);

  [[nodiscard]] std::optional<Piece> take() override;
  void run(const Piece& piece) override;
  [[nodiscard]] Again finish() override;

 private:
  [[nodiscard]] std::stop_token token() const { return stop_->token(); }
  [[nodiscard]] Result<void> look();
  [[nodiscard]] Result<void> begin_ranges();
  [[nodiscard]] Result<void> begin_whole(std::uint64_t size);
  [[nodiscard]] Result<void> fetch(const Piece& piece);
  [[nodiscard]] Result<void> request(const Range& left, std::uint64_t& came);
  [[nodiscard]] Result<void> note(const Range& range, std::uint64_t crc);
  [[nodiscard]] bool begin_anew(Error& error);
  [[nodiscard]] Result<Done> complete();
  [[nodiscard]] Error give_up(Error error);
  [[nodiscard]] bool needs_head() const;

  RunContext& run_;
  Job job_;
  const Download& download_;
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<OwnStop> stop_;  // of this attempt at the whole
  Tally tally_;
  std::optional<PartialFile> partial_;
  bool whole_ = false;
  bool whole_taken_ = false;
  bool unread_ = false;    // an earlier run's bytes: which of them are good is not known yet
  bool replaced_ = false;  // what the job says of the object is out of date
  std::optional<ObjectFacts> facts_;  // set once a request has brought them
  int restarts_ = 0;
  std::uint64_t next_ = 0;  // no byte before it is still to be taken
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // over what follows, and the note
  RangeSet ranges_{CrcKind::crc64nvme, 0};
  std::optional<Error> error_;
};

bool FileDownload::needs_head() const {
  return replaced_ || !download_.size || *download_.size > run_.options.multipart_threshold;
}

Result<void> FileDownload::look() {
  RUNCTL_TRY_LET(facts_, with_retries<ObjectFacts>(run_, tally_, token(), [&] {
                   return run_.store.head(download_.source, token());
                 }));
  return {};
}

Result<void> FileDownload::begin() {
  facts_.reset();
  next_ = 0;
  whole_taken_ = false;
  if (!needs_head()) {
    if (!partial_) {
      RUNCTL_TRY_LET(partial_, PartialFile::open_whole(run_.directories, download_));
    }
    return begin_whole(*download_.size);
  }
  // First, so that a download that cannot even begin leaves alone what an earlier one has brought.
  RUNCTL_TRY(look());
  if (!partial_ || !partial_->can_be_continued()) {
    partial_.reset();
    RUNCTL_TRY_LET(partial_, PartialFile::open(run_.directories, download_));
  }
  if (facts_->size <= run_.options.multipart_threshold) {
    const std::uint64_t size = facts_->size;
    facts_.reset();  // the request itself brings them
    return begin_whole(size);
  }
  return begin_ranges();
}

Result<void> FileDownload::begin_whole(std::uint64_t size) {
  whole_ = true;
  ranges_ = RangeSet{CrcKind::crc64nvme, 0};
  run_.progress.bytes_begun.fetch_add(size, std::memory_order_relaxed);
  return partial_->start_without_note();
}

Result<void> FileDownload::begin_ranges() {
  whole_ = false;
  const auto kind = kind_of(*facts_);
  std::uint64_t period = 0;
  if (kind && !facts_->checksum->full_object) {
    // Its parts, if all are like the first, are where the checksums begin.
    auto first = run_.store.part_size(download_.source, 1, facts_->etag, token());
    const unsigned parts = facts_->checksum->parts;
    if (first && *first > 0 && (facts_->size + *first - 1) / *first == parts) period = *first;
  }
  const PartialNote note{.etag = facts_->etag,
                         .version_id = facts_->version_id,
                         .size = facts_->size,
                         .kind = kind.value_or(CrcKind::crc64nvme),
                         .period = period};
  run_.progress.bytes_begun.fetch_add(facts_->size, std::memory_order_relaxed);
  ranges_ = RangeSet{note.kind, period};
  if (run_.options.resume_downloads && restarts_ == 0) {
    unread_ = true;
    RUNCTL_TRY_LET(auto found, partial_->found(note, token()));
    unread_ = false;
    if (found) {
      ranges_ = *std::move(found);
      tally_.continued = ranges_.bytes();
      run_.progress.bytes_done.fetch_add(ranges_.bytes(), std::memory_order_relaxed);
      return partial_->file().reserve(facts_->size);
    }
  }
  RUNCTL_TRY(partial_->start(note));
  return partial_->file().reserve(facts_->size);
}

std::optional<Piece> FileDownload::take() {
  if (failed_ || token().stop_requested()) return std::nullopt;
  if (whole_) {
    if (std::exchange(whole_taken_, true)) return std::nullopt;
    return Piece{};
  }
  const std::scoped_lock lock{mutex_};
  // What others are still fetching lies before next_.
  const auto gap = ranges_.gap(next_, facts_->size);
  if (!gap) return std::nullopt;
  const std::uint64_t left = facts_->size - gap->first;
  const std::uint64_t size = range_size_for(left, run_.options.part_size, run_.meter.measured());
  const Range range{.first = gap->first, .length = std::min(size, gap->length)};
  next_ = range.first + range.length;
  return Piece{.range = range};
}

void FileDownload::run(const Piece& piece) {
  auto fetched = fetch(piece);
  if (fetched) return;
  const std::scoped_lock lock{mutex_};
  if (!error_) error_ = std::move(fetched).error();
  failed_ = true;
  stop_->request();
}

// The range, or the whole, in as many requests as it takes: one that breaks off is continued where
// it ended.
Result<void> FileDownload::fetch(const Piece& piece) {
  Attempts attempts{run_, tally_, token()};
  Range left = piece.range;
  while (true) {
    std::uint64_t came = 0;
    auto result = request(left, came);
    if (result) {
      attempts.succeeded();
      return result;
    }
    left.first += came;
    if (!whole_) left.length -= came;
    if (whole_ ? facts_ && left.first == facts_->size : left.length == 0) return {};
    if (!attempts.again(result.error(), came > 0)) return result;
  }
}

// One request. `came` is what it has brought, also when it fails.
Result<void> FileDownload::request(const Range& left, std::uint64_t& came) {
  RangeSink::Target target{.file = partial_->file(), .range = left};
  GetRequest get{.source = download_.source, .first = left.first};
  if (facts_) {
    if (whole_) target.range.length = facts_->size - left.first;
    target.kind = ranges_.kind();
    target.expected = &*facts_;
    get.if_match = facts_->etag;
    if (!whole_ || left.first > 0) get.length = target.range.length;
  } else if (!replaced_) {
    get.if_match = download_.etag;
  }
  RangeSink sink{run_, tally_, target, token()};
  auto got = run_.store.get(get, sink, token());
  if (!got && got.error().code == Errc::corrupt) {
    sink.take_back();
    return std::unexpected{std::move(got).error()};
  }
  if (!facts_ && sink.facts()) {  // whole, so that no other thread looks
    facts_ = sink.facts();
    ranges_ = RangeSet{kind_of(*facts_).value_or(CrcKind::crc64nvme), 0};
    target.range.length = facts_->size;
  }
  came = sink.arrived();
  RUNCTL_TRY(note({.first = left.first, .length = came}, sink.crc()));
  if (!got) return std::unexpected{std::move(got).error()};
  if (came != target.range.length) {
    return fail(Errc::unavailable, fmt::format("{} of {} bytes came of {}", came,
                                               target.range.length, to_text(download_.source)));
  }
  return {};
}

Result<void> FileDownload::note(const Range& range, std::uint64_t crc) {
  if (range.length == 0) return {};
  const std::scoped_lock lock{mutex_};
  ranges_.add(range, crc);
  if (whole_) return {};
  return partial_->add(range, crc);
}

Result<Done> FileDownload::complete() {
  const std::uint64_t size = facts_->size;
  RUNCTL_TRY_LET(const Verified verified, verify(run_,
                                                 {.source = download_.source,
                                                  .file = partial_->file(),
                                                  .facts = *facts_,
                                                  .ranges = ranges_},
                                                 token()));
  RUNCTL_TRY(set_file_attributes(partial_->file(), *facts_, run_.options));
  const Durability rule = run_.options.durability;
  const bool durable =
      rule == Durability::before_rename || (rule == Durability::ranges_before_rename && !whole_);
  RUNCTL_TRY(partial_->commit(durable ? PartialFile::Durable::yes : PartialFile::Durable::no));
  return Done{.bytes = size,
              .moved = tally_.moved.load(),
              .continued = tally_.continued.load(),
              .retries = tally_.retries.load(),
              .etag = facts_->etag,
              .version_id = facts_->version_id,
              .verified = verified};
}

// Whether the object was replaced, or has arrived damaged, and the download was begun anew.
bool FileDownload::begin_anew(Error& error) {
  const bool replaced = error.code == Errc::precondition;
  if (!replaced && error.code != Errc::corrupt) return false;
  if (restarts_ == greatest_restarts || run_.stop.stop_requested()) return false;
  ++restarts_;
  replaced_ = true;
  run_.reporter.notice(job_, replaced ? fmt::format("{} was replaced meanwhile: begun anew",
                                                    to_text(download_.source))
                                      : fmt::format("{}: begun anew", error.message));
  stop_ = std::make_unique<OwnStop>(run_.stop);
  failed_ = false;
  error_.reset();
  tally_.continued = 0;
  auto begun = begin();
  if (begun) return true;
  error = std::move(begun).error();
  return false;
}

Work::Again FileDownload::finish() {
  std::optional<Error> error;
  {
    const std::scoped_lock lock{mutex_};
    error = error_;
    const bool all = facts_ && ranges_.bytes() == facts_->size;
    if (run_.stop.stop_requested() && !all) {
      error = Error{.code = Errc::cancelled,
                    .message = fmt::format("the {} was stopped", to_text(job_))};
    }
  }
  if (!error) {
    auto done = complete();
    if (done) {
      end(std::move(done));
      return Again::no;
    }
    error = std::move(done).error();
  }
  if (begin_anew(*error)) return Again::yes;
  end(std::unexpected{*std::move(error)});
  return Again::no;
}

// Keeps or removes what has arrived, and adds to the error which.
Error FileDownload::give_up(Error error) {
  if (!partial_ || unread_) return error;
  const bool useless = error.code == Errc::not_found || error.code == Errc::precondition ||
                       error.code == Errc::corrupt || error.code == Errc::invalid_argument;
  if (!run_.options.resume_downloads || whole_ || useless || !facts_ || ranges_.bytes() == 0) {
    if (auto discarded = partial_->discard(); !discarded) {
      error.details.push_back(discarded.error().message);
    }
    return error;
  }
  error.details.push_back(fmt::format("{} of {} are kept in {}", bytes_in_words(ranges_.bytes()),
                                      bytes_in_words(facts_->size),
                                      partial_->file().path().string()));
  if (error.hint.empty()) error.hint = "the same download continues it";
  return error;
}

void FileDownload::end(Result<Done> result) {
  if (!result) result = std::unexpected{give_up(std::move(result).error())};
  partial_.reset();
  const auto elapsed = run_.clock.ticks() - began_;
  run_.reporter.done(job_,
                     {.result = std::move(result),
                      .elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed)});
}

}  // namespace

std::shared_ptr<Work> begin_download(RunContext& run, const Job& job) {
  auto work = std::make_shared<FileDownload>(run, job);
  if (auto begun = work->begin(); !begun) {
    work->end(std::unexpected{std::move(begun).error()});
    return nullptr;
  }
  if (!work->is_whole()) return work;
  do {
    // Begun anew, it may have become too large for one request: then the others help.
    if (!work->is_whole()) return work;
    while (const auto piece = work->take()) work->run(*piece);
  } while (work->finish() == Work::Again::yes);
  return nullptr;
}

}  // namespace runctl::transfer
