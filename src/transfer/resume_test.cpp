// Going on with what an interrupted run has left, when that is not what its note says.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/crc.hpp"
#include "transfer/engine_fixture.hpp"
#include "transfer/partial_file.hpp"
#include "transfer/upload_record.hpp"

namespace runctl::transfer {
namespace {

using ResumeTest = EngineFixture;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

// What may have become of the bytes of an interrupted download, whose note is still there.
struct Loss {
  const char* word;
  void (*apply)(const std::filesystem::path& path);
};

const std::vector<Loss>& losses() {
  static const std::vector<Loss> all{
      {"deleted", [](const auto& path) { std::filesystem::remove(path); }},
      {"emptied", [](const auto& path) { std::filesystem::resize_file(path, 0); }},
      {"cut off", [](const auto& path) { std::filesystem::resize_file(path, 7 * mib); }},
      {"not all written",
       [](const auto& path) {
         std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
         file.seekp(static_cast<std::streamoff>(6 * mib));
         file << std::string(4096, '\0');
       }},
  };
  return all;
}

TEST_F(ResumeTest, TellsOfTheUploadWhoseNoteCannotBeRead) {
  write("c", noise(12 * mib, 11));
  options.part_size = 5 * mib;
  const Job job = upload("c", "k");
  for (const std::string& torn :
       {std::string{}, std::string{R"({"version": 1, "upload_id": "up)"}}) {
    const auto id = store.create_upload({.target = name("k")}, {});
    {
      auto record =
          UploadRecord::take(scratch.path() / "records", store.place(), std::get<Upload>(job));
      ASSERT_TRUE(record && record->write({.upload_id = *id, .part_size = 5 * mib}));
    }
    ASSERT_EQ(records().size(), 1U);
    std::ofstream{scratch.path() / "records" / records()[0]} << torn;
    const Summary summary = run({job});
    EXPECT_EQ(summary.failed, 0U);
    ASSERT_EQ(summary.left_open.size(), 1U) << torn;
    EXPECT_EQ(summary.left_open[0].upload_id, *id);
    EXPECT_EQ(summary.left_open[0].why, LeftWhy::unheard);
    EXPECT_TRUE(records().empty());
    ASSERT_TRUE(store.abort_upload(name("k"), *id, {}));
  }
  EXPECT_TRUE(run({job}).left_open.empty());
}

TEST_F(ResumeTest, FetchesAgainWhatIsNotedAndNotThere) {
  for (const Loss& loss : losses()) {
    SCOPED_TRACE(loss.word);
    const std::string bytes = noise(40 * mib, 14);
    store.set(name("k"), bytes);
    options.part_size = 5 * mib;
    options.concurrency = 1;
    std::stop_source stop;
    const std::uint64_t start = store.bytes_out();
    store.on_body = [&](const std::string&, std::uint64_t) {
      if (store.bytes_out() - start > 22 * mib) stop.request_stop();
    };
    run({download("k", "f")}, stop.get_token());
    store.on_body = {};
    const auto left = names_in("");
    ASSERT_EQ(left.size(), 2U);
    loss.apply(files() / left[0]);
    const Summary second = run({download("k", "f")});
    EXPECT_EQ(second.failed, 0U);
    EXPECT_LT(second.continued, 22 * mib);
    EXPECT_TRUE(read("f") == bytes);
    EXPECT_EQ(outcome("k").result->verified, Verified::full_object);
    EXPECT_EQ(names_in(""), std::vector<std::string>{"f"});
    std::filesystem::remove(files() / "f");
  }
}

TEST_F(ResumeTest, GoesOnTwiceWithADownloadOfWhichSomeWasLost) {
  const std::string bytes = noise(40 * mib, 14);
  store.set(name("k"), bytes);
  options.part_size = 5 * mib;
  options.concurrency = 1;
  for (const std::uint64_t until : {std::uint64_t{22}, std::uint64_t{32}}) {
    std::stop_source stop;
    store.on_body = [&](const std::string&, std::uint64_t) {
      if (store.bytes_out() > until * mib) stop.request_stop();
    };
    run({download("k", "f")}, stop.get_token());
    if (until == 22) losses().back().apply(files() / names_in("")[0]);
  }
  store.on_body = {};
  const Summary last = run({download("k", "f")});
  EXPECT_EQ(last.failed, 0U);
  EXPECT_TRUE(read("f") == bytes);
  EXPECT_EQ(store.bytes_out(), bytes.size() + 5 * mib) << "the range that was lost came twice";
}

TEST_F(ResumeTest, KeepsWhatHadArrivedWhenItIsStoppedWhileItReadsThat) {
  Download job{.root = files(), .name = "f"};
  const PartialNote note{.etag = "\"e\"", .size = 5};
  const std::string bytes = "hello";
  TargetDirectories directories;
  {
    auto partial = PartialFile::open(directories, job);
    ASSERT_TRUE(partial && partial->start(note));
    ASSERT_TRUE(partial->file().write_at(0, std::as_bytes(std::span{bytes})));
    ASSERT_TRUE(
        partial->add({.first = 0, .length = 5}, crc(note.kind, std::as_bytes(std::span{bytes}))));
  }
  auto partial = PartialFile::open(directories, job);
  ASSERT_TRUE(partial);
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = partial->found(note, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  const auto found = partial->found(note, {});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->bytes(), 5U);
}

}  // namespace
}  // namespace runctl::transfer
