#include "cli/s3/run_jobs.hpp"

#include <utility>
#include <vector>

#include "transfer/engine.hpp"
#include "transfer/s3_store.hpp"

namespace runctl::cli {

using transfer::Summary;

namespace {

// Counts what the engine takes.
class Counted final : public transfer::JobSource {
 public:
  Counted(transfer::JobSource& source, Expected& taken) : source_{source}, taken_{taken} {}
  Result<std::optional<transfer::Job>> next() override {
    auto job = source_.next();
    if (!job) return job;
    if (!*job) {
      taken_.complete = true;
      return job;
    }
    ++taken_.objects;
    // An upload's size is known when its file is opened: Progress::bytes_begun has it.
    if (const auto* const down = std::get_if<transfer::Download>(&**job)) {
      taken_.bytes += down->size.value_or(0);
    } else if (const auto* const copy = std::get_if<transfer::Copy>(&**job)) {
      taken_.bytes += copy->size.value_or(0);
    }
    return job;
  }

 private:
  transfer::JobSource& source_;
  Expected& taken_;
};

}  // namespace

EachObject each_object(const Arguments& arguments) {
  return arguments.has("--verbose") ? EachObject::told : EachObject::quiet;
}

Result<Summary> run_jobs(S3Session& session, transfer::JobSource& source, S3Report& report,
                         const transfer::Options& options, const Expected& expected) {
  Context& context = session.context();
  transfer::S3Store store{session.engine_client(), session.keys()};
  transfer::Engine engine{
      {.store = store, .clock = context.clock, .random = context.random, .log = context.log},
      options};
  Expected taken;
  Counted counted{source, taken};
  auto summary = [&] {
    const ProgressDisplay display{session, engine.progress(), expected, taken};
    return engine.run(counted, report, session.stop_token());
  }();
  if (summary || summary.error().code == Errc::cancelled) {
    Summary all = engine.last_summary();
    all.interrupted = all.interrupted || !summary;
    return all;
  }
  add_what_was_before(engine.last_summary(), summary.error());
  return summary;
}

Result<ExitCode> run_single(S3Session& session, const Arguments& arguments, transfer::Job job,
                            const transfer::Options& options) {
  const Expected expected;
  std::vector<transfer::Job> jobs;
  jobs.push_back(std::move(job));
  transfer::JobList list{std::move(jobs)};
  S3Report report{session, each_object(arguments)};
  RUNCTL_TRY_LET(const Summary summary, run_jobs(session, list, report, options, expected));
  return report.finish(summary, true);
}

void add(Summary& sum, const Summary& more) {
  const auto add_counts = [](transfer::Counts& to, const transfer::Counts& from) {
    to.objects += from.objects;
    to.bytes += from.bytes;
  };
  add_counts(sum.uploaded, more.uploaded);
  add_counts(sum.downloaded, more.downloaded);
  add_counts(sum.copied, more.copied);
  add_counts(sum.removed, more.removed);
  sum.failed += more.failed;
  sum.not_begun += more.not_begun;
  sum.moved += more.moved;
  sum.continued += more.continued;
  sum.retries += more.retries;
  sum.failures.insert(sum.failures.end(), more.failures.begin(), more.failures.end());
  sum.left_open.insert(sum.left_open.end(), more.left_open.begin(), more.left_open.end());
  sum.interrupted = sum.interrupted || more.interrupted;
  sum.elapsed += more.elapsed;
}

}  // namespace runctl::cli
