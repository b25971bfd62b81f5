// For tests: an engine on a store in memory and a scratch directory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "io/fake_clock.hpp"
#include "io/file.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/scratch_directory.hpp"
#include "transfer/engine.hpp"
#include "transfer/fake_store.hpp"
#include "transfer/partial_file.hpp"
#include "transfer/upload_record.hpp"

namespace runctl::transfer {

class NotingObserver final : public Observer {
 public:
  void on_done(const Job& job, const Outcome& outcome) override {
    outcomes.emplace_back(job, outcome);
  }
  void on_notice(const Job&, const std::string& notice) override { notices.push_back(notice); }

  std::vector<std::pair<Job, Outcome>> outcomes;
  std::vector<std::string> notices;
};

// Bytes that no two offsets have alike.
inline std::string noise(std::uint64_t size, std::uint64_t seed) {
  std::mt19937_64 engine{seed};
  std::string bytes;
  bytes.reserve(size + 8);
  while (bytes.size() < size) {
    const std::uint64_t word = engine();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

class EngineFixture : public testing::Test {
 protected:
  EngineFixture() { std::filesystem::create_directory(files()); }

  [[nodiscard]] std::filesystem::path files() const { return scratch.path() / "files"; }
  [[nodiscard]] static ObjectName name(const std::string& key) {
    return {.bucket = "bucket", .key = key};
  }
  [[nodiscard]] Job upload(const std::string& file, const std::string& key) const {
    return Upload{.root = files(), .name = file, .target = name(key)};
  }
  // With what a listing would say.
  [[nodiscard]] Job download(const std::string& key, const std::string& file) const {
    Download job{.source = name(key), .root = files(), .name = file};
    if (const auto found = store.find(name(key))) {
      job.size = found->bytes.size();
      job.etag = found->etag;
    }
    return job;
  }
  [[nodiscard]] static Job copy(const std::string& from, const std::string& to) {
    return Copy{.source = name(from), .target = name(to)};
  }

  void write(const std::string& file, const std::string& bytes) const {
    std::ofstream{files() / file, std::ios::binary} << bytes;
  }
  [[nodiscard]] std::string read(const std::string& file) const {
    return read_file(files() / file).value_or("");
  }
  [[nodiscard]] std::string object(const std::string& key) const {
    const auto found = store.find(name(key));
    return found ? found->bytes : "(no such object)";
  }
  [[nodiscard]] std::vector<std::string> names_in(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{files() / directory}) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  [[nodiscard]] std::vector<std::string> records() const {
    std::vector<std::string> names;
    const auto directory = scratch.path() / "records";
    if (!std::filesystem::exists(directory)) return names;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  void set_time(const std::string& file, std::int64_t nanoseconds) const {
    const UniqueFd fd{::open((files() / file).c_str(), O_WRONLY)};
    const timespec times[2] = {
        {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000}};
    ::futimens(fd.get(), times);
  }

  [[nodiscard]] Options options_with_records() const {
    Options all = options;
    all.resume_directory = scratch.path() / "records";
    return all;
  }
  [[nodiscard]] Means means() {
    return {.store = store, .clock = clock, .random = random, .log = log};
  }
  Summary run(const std::vector<Job>& jobs, const std::stop_token& stop = {}) {
    observer.outcomes.clear();
    observer.notices.clear();
    JobList source{jobs};
    engine = std::make_unique<Engine>(means(), options_with_records());
    auto summary = engine->run(source, observer, stop);
    EXPECT_TRUE(summary.has_value()) << summary.error().message;
    if (!stop.stop_requested()) {
      EXPECT_EQ(observer.outcomes.size(), jobs.size());
    }
    return summary.value_or(Summary{});
  }
  // Of the job whose object has that key.
  [[nodiscard]] const Outcome& outcome(const std::string& key) const {
    for (const auto& [job, outcome] : observer.outcomes) {
      const auto* upload = std::get_if<Upload>(&job);
      const auto* download = std::get_if<Download>(&job);
      if ((upload != nullptr && upload->target.key == key) ||
          (download != nullptr && download->source.key == key)) {
        return outcome;
      }
    }
    throw std::runtime_error{"no job for " + key};
  }

  ScratchDirectory scratch;
  FakeStore store;
  FakeClock clock;
  SeededRandom random{1};
  NoLog log;
  Options options{.durability = Durability::kernel};
  NotingObserver observer;
  std::unique_ptr<Engine> engine;
};

}  // namespace runctl::transfer
