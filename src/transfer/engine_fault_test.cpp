// Transfers under faults from a seed, interrupted and taken up again at random points.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "transfer/engine_fixture.hpp"

namespace runctl::transfer {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

// One seed is one story: which files, which faults, when it is interrupted. RUNCTL_TRANSFER_SEED
// repeats one, RUNCTL_TRANSFER_ROUNDS runs more.
std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class EngineFaultTest : public EngineFixture {
 protected:
  void SetUp() override { options.part_size = 5 * mib; }

  void begin(std::uint64_t seed) {
    story.seed(seed);
    store.~FakeStore();
    new (&store) FakeStore{seed};
    std::filesystem::remove_all(files());
    std::filesystem::create_directory(files());
    std::filesystem::remove_all(scratch.path() / "records");
    digests.clear();
    known_open.clear();
  }

  std::uint64_t below(std::uint64_t bound) { return story() % bound; }

  void make_faults() {
    store.faults = {.throttled = static_cast<unsigned>(below(80)),
                    .lost_answer = static_cast<unsigned>(below(60)),
                    .cut_body = static_cast<unsigned>(below(200)),
                    .bit_flip = static_cast<unsigned>(below(30))};
    options.concurrency = 1 + static_cast<unsigned>(below(6));
    options.interrupted = below(3) == 0 ? Interrupted::abort : Interrupted::keep;
    store.checksum_behind = below(2) == 0;
  }

  // Now and then the user comes with another key of theirs, or with none.
  void choose_key() {
    constexpr std::array<const char*, 3> keys{"", "one", "another"};
    if (below(4) == 0) store.key = keys.at(below(keys.size()));
  }

  std::string some_bytes() {
    const std::uint64_t sizes[] = {0, 1 + below(1000), 300'000 + below(mib),
                                   5 * mib + below(20 * mib)};
    return noise(sizes[below(4)], story());
  }

  // A run that is stopped by the user, or whose network dies, after some of the traffic.
  Summary interrupted_run(const std::vector<Job>& jobs) {
    std::stop_source stop;
    const std::uint64_t passed = store.bytes_in() + store.bytes_out();
    const std::uint64_t until = passed + below(40 * mib);
    const bool dies = below(2) == 0;
    store.on_body = [this, stop, until, dies](const std::string&, std::uint64_t) mutable {
      check_targets();
      if (store.bytes_in() + store.bytes_out() < until) return;
      if (dies) {
        store.dead = true;
      } else {
        stop.request_stop();
      }
    };
    const Summary summary = run(jobs, stop.get_token());
    store.dead = false;
    store.on_body = [this](const std::string&, std::uint64_t) { check_targets(); };
    return summary;
  }

  // Whatever has a final name is complete.
  void check_targets() {
    const std::scoped_lock lock{checking};
    for (const auto& [name, digest] : digests) {
      if (seen.contains(name) || !std::filesystem::exists(files() / name)) continue;
      seen.insert(name);
      EXPECT_EQ(hex(sha256(read(name))), digest)
          << name << " is visible, and not what it should be";
    }
  }

  // Every open upload was reported, in this run or one before.
  void check_uploads(const Summary& summary) {
    for (const OpenUpload& left : summary.left_open) {
      if (left.upload_id.empty()) anything_may_be_open = true;
      known_open.insert(left.upload_id);
    }
    for (const auto& [id, upload] : store.open_uploads()) {
      EXPECT_TRUE(anything_may_be_open || known_open.contains(id))
          << id << " to " << upload.target.key << " is open, and nobody was told";
    }
  }

  std::mt19937_64 story;
  std::mutex checking;
  std::map<std::string, std::string> digests;  // SHA-256 by local name
  std::set<std::string> seen;
  std::set<std::string> known_open;
  bool anything_may_be_open = false;
};

TEST_F(EngineFaultTest, UploadsArriveWholeOrNotAtAll) {
  const std::uint64_t first = number_from("RUNCTL_TRANSFER_SEED", 1);
  for (std::uint64_t seed = first; seed < first + number_from("RUNCTL_TRANSFER_ROUNDS", 8);
       ++seed) {
    SCOPED_TRACE(fmt::format("RUNCTL_TRANSFER_SEED={}", seed));
    begin(seed);
    anything_may_be_open = false;
    std::vector<Job> jobs;
    std::map<std::string, std::string> by_key;
    for (std::uint64_t number = 0; number < 1 + below(5); ++number) {
      const std::string name = fmt::format("f{}", number);
      const std::string bytes = some_bytes();
      write(name, bytes);
      by_key[name] = hex(sha256(bytes));
      jobs.push_back(upload(name, name));
    }
    for (int attempt = 0; attempt < 3; ++attempt) {
      make_faults();
      choose_key();
      check_uploads(interrupted_run(jobs));
      for (const auto& [key, digest] : by_key) {
        if (const auto found = store.find(name(key))) {
          EXPECT_EQ(hex(sha256(found->bytes)), digest) << key;
        }
      }
    }
    store.faults = {};
    const Summary last = run(jobs);
    EXPECT_EQ(last.failed, 0U);
    check_uploads(last);
    for (const auto& [key, digest] : by_key) EXPECT_EQ(hex(sha256(object(key))), digest) << key;
    EXPECT_TRUE(records().empty());
  }
}

TEST_F(EngineFaultTest, DownloadsArriveWholeOrNotAtAll) {
  const std::uint64_t first = number_from("RUNCTL_TRANSFER_SEED", 1);
  for (std::uint64_t seed = first; seed < first + number_from("RUNCTL_TRANSFER_ROUNDS", 8);
       ++seed) {
    SCOPED_TRACE(fmt::format("RUNCTL_TRANSFER_SEED={}", seed));
    begin(seed);
    seen.clear();
    std::vector<Job> jobs;
    for (std::uint64_t number = 0; number < 1 + below(5); ++number) {
      const std::string key = fmt::format("d{}/f{}", number % 2, number);
      const std::string bytes = some_bytes();
      digests[key] = hex(sha256(bytes));
      store.set(name(key), bytes);
      jobs.push_back(download(key, key));
    }
    for (int attempt = 0; attempt < 3; ++attempt) {
      make_faults();
      options.multipart_threshold = 5 * mib + below(12 * mib);
      interrupted_run(jobs);
      check_targets();
    }
    store.faults = {};
    EXPECT_EQ(run(jobs).failed, 0U);
    for (const auto& [key, digest] : digests) EXPECT_EQ(hex(sha256(read(key))), digest) << key;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{files()}) {
      EXPECT_FALSE(is_partial_name(entry.path().filename().string())) << entry.path();
    }
  }
}

}  // namespace
}  // namespace runctl::transfer
