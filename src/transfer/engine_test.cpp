#include "transfer/engine.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "io/fake_clock.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/scratch_directory.hpp"
#include "transfer/engine_fixture.hpp"
#include "transfer/fake_store.hpp"

namespace runctl::transfer {
namespace {

namespace fs = std::filesystem;
using EngineTest = EngineFixture;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

TEST_F(EngineTest, UploadsASmallFileInOneRequestWithItsChecksum) {
  write("a.txt", "hello");
  const Summary summary = run({upload("a.txt", "k")});
  EXPECT_EQ(summary.uploaded.objects, 1U);
  EXPECT_EQ(summary.uploaded.bytes, 5U);
  EXPECT_EQ(object("k"), "hello");
  EXPECT_EQ(store.calls("put"), 1U);
  EXPECT_EQ(store.calls("head"), 0U);
  EXPECT_EQ(outcome("k").result->verified, Verified::full_object);
}

TEST_F(EngineTest, UploadsAnEmptyFile) {
  write("empty", "");
  EXPECT_EQ(run({upload("empty", "k")}).failed, 0U);
  EXPECT_EQ(object("k"), "");
}

TEST_F(EngineTest, StreamsAFileThatIsLargerThanTheBuffer) {
  const std::string bytes = noise(3 * mib + 17, 1);
  write("b", bytes);
  EXPECT_EQ(run({upload("b", "k")}).failed, 0U);
  EXPECT_EQ(store.calls("put"), 1U);
  EXPECT_TRUE(object("k") == bytes);
}

TEST_F(EngineTest, UploadsALargeFileInPartsAndChecksTheWhole) {
  const std::string bytes = noise(17 * mib + 3, 2);
  write("c", bytes);
  options.part_size = 5 * mib;
  const Summary summary = run({upload("c", "k")});
  EXPECT_EQ(summary.failed, 0U);
  EXPECT_EQ(store.calls("upload_part"), 4U);
  EXPECT_TRUE(object("k") == bytes);
  EXPECT_EQ(outcome("k").result->parts, 4U);
  EXPECT_EQ(outcome("k").result->verified, Verified::full_object);
  EXPECT_TRUE(store.open_uploads().empty());
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(engine->progress().bytes_done.load(), bytes.size());
}

TEST_F(EngineTest, HashesFirstWhereAChecksumMayNotFollow) {
  const std::string bytes = noise(12 * mib, 3);
  write("c", bytes);
  write("d", bytes.substr(0, 2 * mib));
  store.checksum_behind = false;
  options.part_size = 5 * mib;
  EXPECT_EQ(run({upload("c", "k"), upload("d", "l")}).failed, 0U);
  EXPECT_TRUE(object("k") == bytes);
  EXPECT_EQ(store.bytes_in(), 14 * mib);
}

TEST_F(EngineTest, NotesTheFilesTimeAndModeAndGivesThemBack) {
  write("a", "x");
  ::chmod((files() / "a").c_str(), 0640);
  set_time("a", 1'600'000'000'123'456'789);
  options.keep_mode = true;
  ASSERT_EQ(run({upload("a", "k")}).failed, 0U);
  ASSERT_EQ(run({download("k", "back")}).failed, 0U);
  const auto state = state_of(files() / "back", AtLink::refuse);
  EXPECT_EQ(state->modified_ns, 1'600'000'000'123'456'789);
  EXPECT_EQ(state->mode, 0640U);
}

TEST_F(EngineTest, DownloadsASmallObjectInOneRequest) {
  store.set(name("k"), "hello");
  const Summary summary = run({download("k", "d/e/f.txt")});
  EXPECT_EQ(summary.downloaded.objects, 1U);
  EXPECT_EQ(read("d/e/f.txt"), "hello");
  EXPECT_EQ(store.calls("get"), 1U);
  EXPECT_EQ(store.calls("head"), 0U);
  EXPECT_EQ(outcome("k").result->verified, Verified::full_object);
  EXPECT_EQ(names_in("d/e"), std::vector<std::string>{"f.txt"});
}

TEST_F(EngineTest, DownloadsALargeObjectInRangesAndChecksTheWhole) {
  const std::string bytes = noise(21 * mib + 5, 4);
  store.set(name("k"), bytes);
  options.part_size = 5 * mib;
  options.multipart_threshold = 8 * mib;
  EXPECT_EQ(run({download("k", "f")}).failed, 0U);
  EXPECT_EQ(store.calls("get"), 5U);
  EXPECT_EQ(store.unguarded_ranges(), 0U) << "each says of which object it is to be";
  EXPECT_TRUE(read("f") == bytes);
  EXPECT_EQ(outcome("k").result->verified, Verified::full_object);
  EXPECT_EQ(names_in(""), std::vector<std::string>{"f"});
  EXPECT_EQ(engine->progress().bytes_done.load(), bytes.size());
}

TEST_F(EngineTest, VerifiesTheChecksumsOfParts) {
  const std::string bytes = noise(20 * mib + 5, 5);
  store.set_composite(name("even"), bytes, {6 * mib, 6 * mib, 6 * mib, 2 * mib + 5});
  store.set_composite(name("uneven"), bytes, {5 * mib, 7 * mib, 6 * mib, 2 * mib + 5});
  options.multipart_threshold = 8 * mib;
  EXPECT_EQ(run({download("even", "a"), download("uneven", "b")}).failed, 0U);
  EXPECT_EQ(outcome("even").result->verified, Verified::composite);
  EXPECT_EQ(outcome("uneven").result->verified, Verified::composite);
  EXPECT_TRUE(read("a") == bytes);
  EXPECT_TRUE(read("b") == bytes);
}

TEST_F(EngineTest, RefusesAnObjectThatIsNotWhatIsStored) {
  store.set(name("k"), noise(20 * mib, 6));
  store.change(name("k"), [](FakeStore::Object& object) { object.bytes[11 * mib] ^= 1; });
  store.set(name("s"), "small");
  store.change(name("s"), [](FakeStore::Object& object) { object.bytes[1] ^= 1; });
  const Summary summary = run({download("k", "f"), download("s", "g")});
  EXPECT_EQ(summary.failed, 2U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::corrupt);
  EXPECT_EQ(outcome("s").result.error().code, Errc::corrupt);
  EXPECT_TRUE(names_in("").empty()) << "nothing of it is left";
}

TEST_F(EngineTest, ChecksAPlainETagWhereThereIsNoChecksum) {
  store.gives_checksums = false;
  store.set(name("k"), "hello");
  store.set(name("bad"), "hello");
  store.change(name("bad"), [](FakeStore::Object& object) { object.bytes = "hullo"; });
  run({download("k", "f"), download("bad", "g")});
  EXPECT_EQ(outcome("k").result->verified, Verified::etag_md5);
  EXPECT_EQ(outcome("bad").result.error().code, Errc::corrupt);
  store.is_compared_with = false;
  run({download("bad", "g")});
  ASSERT_TRUE(outcome("bad").result);
  EXPECT_EQ(outcome("bad").result->verified, Verified::no) << "its ETag is none, as the user says";
}

TEST_F(EngineTest, TakesAnObjectThatWasReplacedSinceItWasListed) {
  store.set(name("k"), "hello");
  Download job = std::get<Download>(download("k", "f"));
  job.etag = "\"of-before\"";
  EXPECT_EQ(run({job}).failed, 0U);
  EXPECT_EQ(read("f"), "hello");
  ASSERT_EQ(observer.notices.size(), 1U);
  EXPECT_NE(observer.notices[0].find("replaced"), std::string::npos);
}

TEST_F(EngineTest, BeginsAnewWhenTheObjectIsReplacedWhileItIsRead) {
  const std::string old_bytes = noise(24 * mib, 7);
  const std::string new_bytes = noise(22 * mib + 1, 8);
  store.set(name("k"), old_bytes);
  std::once_flag replaced;  // nobody reads on meanwhile
  store.on_body = [&](const std::string&, std::uint64_t at) {
    if (at >= mib) std::call_once(replaced, [&] { store.set(name("k"), new_bytes); });
  };
  options.part_size = 5 * mib;
  options.concurrency = 2;
  EXPECT_EQ(run({download("k", "f")}).failed, 0U);
  EXPECT_TRUE(read("f") == new_bytes);
  EXPECT_EQ(observer.notices.size(), 1U);
}

TEST_F(EngineTest, NeverFollowsALinkOutOfTheTarget) {
  std::filesystem::create_directories(scratch.path() / "outside");
  std::filesystem::create_directory_symlink(scratch.path() / "outside", files() / "link");
  std::filesystem::create_symlink(scratch.path() / "outside" / "victim", files() / "victim");
  store.set(name("k"), "hello");
  run({download("k", "link/f"), download("k", "../up"), download("k", "a//b"),
       download("k", "..")});
  for (const auto& [job, outcome] : observer.outcomes) {
    ASSERT_FALSE(outcome.result) << to_text(job);
    EXPECT_EQ(outcome.result.error().code, Errc::invalid_argument) << to_text(job);
  }
  // A link at the very target is replaced itself.
  EXPECT_EQ(run({download("k", "victim")}).failed, 0U);
  EXPECT_TRUE(
      std::filesystem::is_regular_file(std::filesystem::symlink_status(files() / "victim")));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path() / "outside"));
}

TEST_F(EngineTest, LeavesADirectoryAtTheTargetAlone) {
  std::filesystem::create_directories(files() / "d" / "in");
  store.set(name("k"), "hello");
  EXPECT_EQ(run({download("k", "d")}).failed, 1U);
  EXPECT_TRUE(std::filesystem::is_directory(files() / "d" / "in"));
  EXPECT_EQ(names_in(""), std::vector<std::string>{"d"});
}

TEST_F(EngineTest, SaysWhichFilesCannotBeRead) {
  std::filesystem::create_directory(files() / "directory");
  ::mkfifo((files() / "fifo").c_str(), 0600);
  std::filesystem::create_symlink("a", files() / "link");
  write("a", "x");
  const Summary summary = run({upload("missing", "1"), upload("directory", "2"),
                               upload("fifo", "3"), upload("link", "4"), upload("a", "5")});
  EXPECT_EQ(summary.failed, 4U);
  EXPECT_EQ(outcome("1").result.error().code, Errc::not_found);
  EXPECT_EQ(outcome("2").result.error().code, Errc::invalid_argument);
  EXPECT_EQ(outcome("3").result.error().code, Errc::invalid_argument);
  EXPECT_EQ(outcome("4").result.error().code, Errc::invalid_argument);
  EXPECT_TRUE(outcome("5").result.has_value());
}

// What may happen to a file while it is uploaded, with what the error says of it.
struct Change {
  const char* word;
  void (*apply)(const std::filesystem::path& path);
};

const std::vector<Change>& changes() {
  static const std::vector<Change> all{
      {"grew", [](const auto& path) { std::ofstream{path, std::ios::app} << "more"; }},
      {"shrank", [](const auto& path) { std::filesystem::resize_file(path, 7); }},
      {"was changed",
       [](const auto& path) {
         std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
         file << "other";
       }},
      {"replaced",
       [](const auto& path) {
         const auto other = path.string() + ".new";
         std::filesystem::copy_file(path, other);
         std::filesystem::rename(other, path);
       }},
      {"removed", [](const auto& path) { std::filesystem::remove(path); }},
  };
  return all;
}

TEST_F(EngineTest, NeverCompletesAnObjectOfAFileThatChanges) {
  for (const std::uint64_t size : {3 * mib, 16 * mib}) {
    for (const Change& change : changes()) {
      SCOPED_TRACE(fmt::format("{} bytes, {}", size, change.word));
      write("f", noise(size, 9));
      std::atomic<bool> done{false};
      store.on_body = [&](const std::string&, std::uint64_t at) {
        if (at >= mib && !done.exchange(true)) change.apply(files() / "f");
      };
      options.part_size = 5 * mib;
      options.multipart_threshold = 5 * mib;
      const Summary summary = run({upload("f", "k")});
      EXPECT_EQ(summary.failed, 1U);
      const Error& error = outcome("k").result.error();
      EXPECT_EQ(error.code, Errc::precondition);
      EXPECT_NE(error.message.find(change.word), std::string::npos) << error.message;
      EXPECT_FALSE(store.find(name("k")));
      EXPECT_TRUE(store.open_uploads().empty()) << "its parts are of no use";
      EXPECT_TRUE(records().empty());
    }
  }
}

TEST_F(EngineTest, ReadsNothingOverALinkThatReplacesADirectory) {
  const fs::path outside = scratch.path() / "outside";
  fs::create_directory(outside);
  std::ofstream{outside / "f"} << "secret";
  fs::create_directory(files() / "d");
  const auto replace = [&] {
    fs::rename(files() / "d", files() / "was");
    fs::create_directory_symlink(outside, files() / "d");
  };

  // While its parts are on their way: what the name leads to now is another file.
  write("d/f", noise(12 * mib, 9));
  options.part_size = 5 * mib;
  options.multipart_threshold = 5 * mib;
  std::atomic<bool> done = false;
  store.on_body = [&](const std::string&, std::uint64_t at) {
    if (at >= mib && !done.exchange(true)) replace();
  };
  EXPECT_EQ(run({upload("d/f", "k")}).failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::precondition);
  EXPECT_FALSE(store.find(name("k")));

  // Before it was opened.
  EXPECT_EQ(run({upload("d/f", "k")}).failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::invalid_argument);
  EXPECT_FALSE(store.find(name("k")));
}

TEST_F(EngineTest, LooksAtTheFileOnceMoreBeforeItCompletesAnObject) {
  write("f", noise(12 * mib, 9));
  options.part_size = 5 * mib;
  options.concurrency = 1;
  // All bytes have been given away, and were those of an unchanged file.
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() == 12 * mib) std::ofstream{files() / "f", std::ios::app} << "more";
  };
  EXPECT_EQ(run({upload("f", "k")}).failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::precondition);
  EXPECT_EQ(store.calls("complete_upload"), 0U);
  EXPECT_TRUE(store.open_uploads().empty());
}

TEST_F(EngineTest, WritesOnlyWhereTheConditionHolds) {
  write("a", "new");
  store.set(name("k"), "old");
  Upload job = std::get<Upload>(upload("a", "k"));
  job.condition.absent = true;
  EXPECT_EQ(run({job}).failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::precondition);
  EXPECT_EQ(outcome("k").result.error().message, "the object s3://bucket/k exists already");
  EXPECT_EQ(object("k"), "old");
  job.condition = {.etag = store.find(name("k"))->etag};
  EXPECT_EQ(run({job}).failed, 0U);
  EXPECT_EQ(object("k"), "new");
}

TEST_F(EngineTest, KnowsItsOwnObjectWhenTheAnswerWasLost) {
  write("a", "new");
  write("c", noise(12 * mib, 10));
  options.part_size = 5 * mib;
  options.multipart_threshold = 5 * mib;
  write("b", noise(3 * mib, 10));
  write("d", noise(3 * mib, 11));
  for (const char* file : {"a", "b", "c", "d"}) {
    store.checksum_behind = std::string_view{file} != "d";
    Upload job = std::get<Upload>(upload(file, file));
    job.condition.absent = true;
    options.concurrency = 1;
    store.on_call = [this](const std::string& operation) {
      store.faults.lost_answer = operation == "put" || operation == "complete_upload" ? 1000 : 0;
    };
    EXPECT_EQ(run({job}).failed, 0U) << file;
    EXPECT_TRUE(outcome(file).result.has_value()) << outcome(file).result.error().message;
  }
  EXPECT_TRUE(store.open_uploads().empty());
}

TEST_F(EngineTest, ReportsAnUploadWhoseCreationGotNoAnswer) {
  write("c", noise(12 * mib, 11));
  options.part_size = 5 * mib;
  options.multipart_threshold = 5 * mib;
  std::atomic<int> creations{0};
  store.on_call = [&](const std::string& operation) {
    const bool first = operation == "create_upload" && creations++ == 0;
    store.faults.lost_answer = first ? 1000 : 0;
  };
  options.concurrency = 1;
  const Summary summary = run({upload("c", "k")});
  EXPECT_EQ(summary.failed, 0U);
  ASSERT_EQ(store.open_uploads().size(), 1U);
  ASSERT_EQ(summary.left_open.size(), 1U);
  EXPECT_EQ(summary.left_open[0].upload_id, store.open_uploads().begin()->first);
  EXPECT_EQ(summary.left_open[0].why, LeftWhy::unheard);
}

TEST_F(EngineTest, ContinuesAnUploadWithoutSendingAgainWhatArrived) {
  const std::string bytes = noise(30 * mib, 12);
  write("c", bytes);
  options.part_size = 5 * mib;
  options.concurrency = 1;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 17 * mib) stop.request_stop();
  };
  const Summary first = run({upload("c", "k")}, stop.get_token());
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(first.failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::cancelled);
  ASSERT_EQ(first.left_open.size(), 1U);
  EXPECT_EQ(first.left_open[0].why, LeftWhy::kept);
  EXPECT_EQ(first.left_open[0].bytes_there, 15 * mib);
  EXPECT_FALSE(store.find(name("k")));

  const std::uint64_t before = store.bytes_in();
  store.on_body = {};
  const Summary second = run({upload("c", "k")});
  EXPECT_EQ(second.failed, 0U);
  EXPECT_EQ(second.continued, 15 * mib);
  EXPECT_EQ(store.bytes_in() - before, 15 * mib);
  EXPECT_TRUE(object("k") == bytes);
  EXPECT_TRUE(store.open_uploads().empty());
  EXPECT_TRUE(records().empty());
}

TEST_F(EngineTest, SendsAgainAPartThatIsNotWhatTheFileHas) {
  const std::string bytes = noise(30 * mib, 12);
  write("c", bytes);
  options.part_size = 5 * mib;
  options.concurrency = 1;
  for (const bool checksums : {true, false}) {
    store.gives_checksums = checksums;
    std::stop_source stop;
    const std::uint64_t start = store.bytes_in();
    store.on_body = [&](const std::string&, std::uint64_t) {
      if (store.bytes_in() - start > 17 * mib) stop.request_stop();
    };
    run({upload("c", "k")}, stop.get_token());
    ASSERT_EQ(store.open_uploads().size(), 1U);
    store.damage_part(store.open_uploads().begin()->first, 2);
    const std::uint64_t before = store.bytes_in();
    store.on_body = {};
    EXPECT_EQ(run({upload("c", "k")}).failed, 0U);
    EXPECT_EQ(store.bytes_in() - before, 20 * mib) << "one more than the three that were missing";
    EXPECT_TRUE(object("k") == bytes);
  }
}

TEST_F(EngineTest, AbortsAnUploadOfAnotherStateOfTheFile) {
  write("c", noise(30 * mib, 12));
  options.part_size = 5 * mib;
  options.concurrency = 1;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 17 * mib) stop.request_stop();
  };
  run({upload("c", "k")}, stop.get_token());
  store.on_body = {};
  const std::string bytes = noise(30 * mib, 13);
  write("c", bytes);
  const Summary summary = run({upload("c", "k")});
  EXPECT_EQ(summary.failed, 0U);
  EXPECT_EQ(summary.continued, 0U);
  EXPECT_TRUE(object("k") == bytes);
  EXPECT_TRUE(store.open_uploads().empty());
  EXPECT_EQ(observer.notices.size(), 1U);
}

TEST_F(EngineTest, ContinuesNoUploadWithAnotherKey) {
  const std::string bytes = noise(30 * mib, 12);
  write("c", bytes);
  options.part_size = 5 * mib;
  options.concurrency = 1;
  const auto interrupt = [&] {
    std::stop_source stop;
    const std::uint64_t start = store.bytes_in();
    store.on_body = [&, start](const std::string&, std::uint64_t) {
      if (store.bytes_in() - start > 17 * mib) stop.request_stop();
    };
    run({upload("c", "k")}, stop.get_token());
    store.on_body = {};
  };
  store.key = "one";
  interrupt();
  const Summary same = run({upload("c", "k")});
  EXPECT_EQ(same.failed, 0U);
  EXPECT_EQ(same.continued, 15 * mib);
  for (const std::string& other : {std::string{"another"}, std::string{}}) {
    store.key = "one";
    interrupt();
    store.key = other;
    const Summary summary = run({upload("c", "k")});
    EXPECT_EQ(summary.failed, 0U) << other;
    EXPECT_EQ(summary.continued, 0U) << other;
    EXPECT_EQ(observer.notices.size(), 1U) << other;
    EXPECT_EQ(store.find(name("k"))->key, other);
    EXPECT_TRUE(object("k") == bytes);
    EXPECT_TRUE(store.open_uploads().empty());
  }
}

TEST_F(EngineTest, KeepsTheNotesOfTwoPlacesApart) {
  write("c", noise(30 * mib, 12));
  options.part_size = 5 * mib;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 12 * mib) stop.request_stop();
  };
  run({upload("c", "k")}, stop.get_token());
  store.on_body = {};
  const auto before = records();
  ASSERT_EQ(before.size(), 1U);
  store.where = "https://elsewhere.example";
  EXPECT_EQ(run({upload("c", "k")}).failed, 0U);
  EXPECT_EQ(records(), before) << "the other place's upload is still known";
}

TEST_F(EngineTest, AbortsAnInterruptedUploadWhenAsked) {
  write("c", noise(30 * mib, 12));
  options.part_size = 5 * mib;
  options.interrupted = Interrupted::abort;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 12 * mib) stop.request_stop();
  };
  const Summary summary = run({upload("c", "k")}, stop.get_token());
  EXPECT_EQ(summary.failed, 1U);
  EXPECT_TRUE(summary.left_open.empty());
  EXPECT_TRUE(store.open_uploads().empty());
  EXPECT_TRUE(records().empty());
}

TEST_F(EngineTest, ReportsAnUploadThatItCannotAbort) {
  write("c", noise(30 * mib, 12));
  options.part_size = 5 * mib;
  options.interrupted = Interrupted::abort;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 12 * mib) store.dead = true;
  };
  const Summary summary = run({upload("c", "k")});
  EXPECT_EQ(summary.failed, 1U);
  ASSERT_EQ(summary.left_open.size(), 1U);
  EXPECT_EQ(summary.left_open[0].upload_id, store.open_uploads().begin()->first);
  EXPECT_EQ(summary.left_open[0].why, LeftWhy::not_aborted);
}

TEST_F(EngineTest, RefusesASecondUploadOfTheSameFileToTheSameObject) {
  write("c", noise(12 * mib, 12));
  options.part_size = 5 * mib;
  const auto job = upload("c", "k");
  auto record =
      UploadRecord::take(scratch.path() / "records", store.place(), std::get<Upload>(job));
  ASSERT_TRUE(record);
  EXPECT_EQ(run({job}).failed, 1U);
  EXPECT_EQ(outcome("k").result.error().code, Errc::conflict);
}

TEST_F(EngineTest, ContinuesADownloadWithoutFetchingAgainWhatArrived) {
  const std::string bytes = noise(40 * mib, 14);
  store.set(name("k"), bytes);
  options.part_size = 5 * mib;
  options.concurrency = 2;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_out() > 22 * mib) stop.request_stop();
  };
  const Summary first = run({download("k", "f")}, stop.get_token());
  EXPECT_TRUE(first.interrupted);
  EXPECT_FALSE(std::filesystem::exists(files() / "f"));
  EXPECT_EQ(names_in("").size(), 2U) << "the hidden file and its note";
  for (const std::string& left : names_in("")) EXPECT_TRUE(is_partial_name(left)) << left;

  const std::uint64_t before = store.bytes_out();
  store.on_body = {};
  const Summary second = run({download("k", "f")});
  EXPECT_EQ(second.failed, 0U);
  EXPECT_EQ(second.continued, before);
  EXPECT_EQ(store.bytes_out(), bytes.size()) << "every byte came once";
  EXPECT_TRUE(read("f") == bytes);
  EXPECT_EQ(names_in(""), std::vector<std::string>{"f"});
}

TEST_F(EngineTest, DoesNotContinueTheDownloadOfAnotherObject) {
  store.set(name("k"), noise(40 * mib, 14));
  options.part_size = 5 * mib;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_out() > 22 * mib) stop.request_stop();
  };
  run({download("k", "f")}, stop.get_token());
  store.on_body = {};
  const std::string bytes = noise(40 * mib, 15);
  store.set(name("k"), bytes);
  const Summary second = run({download("k", "f")});
  EXPECT_EQ(second.continued, 0U);
  EXPECT_TRUE(observer.notices.empty()) << "it was not even tried";
  EXPECT_TRUE(read("f") == bytes);
}

TEST_F(EngineTest, ASmallDownloadHasNoNameUntilItIsComplete) {
  write("there", "of before");
  for (const char* key : {"new", "there"}) store.set(name(key), noise(100'000, 14));
  std::vector<std::string> seen;
  store.on_body = [&](const std::string&, std::uint64_t at) {
    if (at == 0) return;
    seen = names_in("");
    EXPECT_EQ(read("there"), "of before");
  };
  EXPECT_EQ(run({download("new", "new")}).failed, 0U);
  EXPECT_EQ(seen, std::vector<std::string>{"there"});
  EXPECT_EQ(run({download("there", "there")}).failed, 0U);
  for (const char* key : {"new", "there"}) EXPECT_TRUE(read(key) == object(key)) << key;
  EXPECT_EQ(names_in(""), (std::vector<std::string>{"new", "there"}));
}

TEST_F(EngineTest, ASmallDownloadTakesUpWhatALargeOneLeft) {
  store.set(name("k"), noise(40 * mib, 14));
  options.part_size = 5 * mib;
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) { stop.request_stop(); };
  run({download("k", "f")}, stop.get_token());
  store.on_body = {};
  ASSERT_FALSE(names_in("").empty());
  store.set(name("k"), "hello");
  EXPECT_EQ(run({download("k", "f")}).failed, 0U);
  EXPECT_EQ(read("f"), "hello");
  EXPECT_EQ(names_in(""), std::vector<std::string>{"f"});
}

TEST_F(EngineTest, MakesADirectoryAnewThatWasRemovedMeanwhile) {
  for (const char* key : {"1", "2"}) store.set(name(key), key);
  options.concurrency = 1;
  std::vector<Job> jobs{download("1", "d/1"), download("2", "d/2")};
  bool removed = false;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (!std::exchange(removed, true)) std::filesystem::remove_all(files() / "d");
  };
  EXPECT_EQ(run(jobs).failed, 1U) << "its directory is gone";
  EXPECT_EQ(names_in("d"), std::vector<std::string>{"2"});
}

TEST_F(EngineTest, RefusesTwoDownloadsToOneFile) {
  store.set(name("k"), noise(20 * mib, 14));
  options.concurrency = 4;
  const Summary summary = run({download("k", "f"), download("k", "f")});
  EXPECT_LE(summary.failed, 1U);
  EXPECT_TRUE(read("f") == object("k"));
}

TEST_F(EngineTest, CopiesInsideS3) {
  store.set(name("k"), "hello");
  const Summary summary = run({copy("k", "l")});
  EXPECT_EQ(summary.copied.objects, 1U);
  EXPECT_EQ(object("l"), "hello");
  EXPECT_EQ(store.bytes_in() + store.bytes_out(), 0U);
}

TEST_F(EngineTest, CopiesALargeObjectInPartsAndComparesTheWhole) {
  const std::string bytes = noise(17 * mib, 20);
  store.set(name("k"), bytes);
  store.change(name("k"),
               [](FakeStore::Object& object) { object.attributes.content_type = "x/y"; });
  options.copy_threshold = 8 * mib;
  options.part_size = 5 * mib;
  EXPECT_EQ(run({copy("k", "l")}).failed, 0U);
  EXPECT_EQ(store.calls("copy_part"), 4U);
  EXPECT_TRUE(object("l") == bytes);
  EXPECT_EQ(store.find(name("l"))->attributes.content_type, "x/y") << "as CopyObject keeps it";
  EXPECT_TRUE(observer.notices.empty());
  EXPECT_EQ(std::get<Copy>(observer.outcomes[0].first).target.key, "l");
  EXPECT_EQ(observer.outcomes[0].second.result->verified, Verified::full_object);
}

TEST_F(EngineTest, SaysThatTagsAreNotCopiedInParts) {
  store.set(name("k"), noise(17 * mib, 20));
  store.change(name("k"), [](FakeStore::Object& object) { object.tags = 2; });
  options.copy_threshold = 8 * mib;
  options.part_size = 5 * mib;
  EXPECT_EQ(run({copy("k", "l")}).failed, 0U);
  ASSERT_EQ(observer.notices.size(), 1U);
  EXPECT_NE(observer.notices[0].find("tags (2) are not copied"), std::string::npos);
}

TEST_F(EngineTest, ACopyThatIsStoredInAnotherWaySaysOfItselfWhatItsSourceSays) {
  store.set(name("large"), noise(17 * mib, 20));
  store.set(name("small"), "hello");
  options.copy_threshold = 8 * mib;
  options.part_size = 5 * mib;
  for (const char* key : {"large", "small"}) {
    store.change(name(key), [](FakeStore::Object& object) {
      object.attributes.content_type = "x/y";
      object.attributes.metadata = {{"owner", "ann"}};
    });
    Copy job = std::get<Copy>(copy(key, "to"));
    job.attributes.storage_class = "GLACIER_IR";
    job.attributes.server_side_encryption = "AES256";
    ASSERT_EQ(run({job}).failed, 0U) << key;
    Attributes expected = store.find(name(key))->attributes;
    expected.storage_class = "GLACIER_IR";
    expected.server_side_encryption = "AES256";
    EXPECT_EQ(store.find(name("to"))->attributes, expected) << key;

    job.attributes = {.content_type = "x/z"};
    job.replaces_headers = true;
    ASSERT_EQ(run({job}).failed, 0U) << key;
    EXPECT_EQ(store.find(name("to"))->attributes, job.attributes) << key;
  }
}

TEST_F(EngineTest, CopiesWhatHasAnotherKeyThanTheCopy) {
  const std::string bytes = noise(17 * mib, 20);
  store.set(name("k"), bytes);
  store.set(name("small"), "hello");
  for (const char* key : {"k", "small"}) {
    store.change(name(key), [](FakeStore::Object& object) { object.key = "the source's"; });
  }
  options.copy_threshold = 8 * mib;
  options.part_size = 5 * mib;
  store.key = "the copy's";
  EXPECT_EQ(run({copy("k", "l"), copy("small", "m")}).failed, 2U);
  store.source_key = "the source's";
  EXPECT_EQ(run({copy("k", "l"), copy("small", "m")}).failed, 0U);
  EXPECT_TRUE(object("l") == bytes);
  EXPECT_EQ(store.find(name("l"))->key, "the copy's");
  EXPECT_EQ(store.find(name("m"))->key, "the copy's");
}

TEST_F(EngineTest, AbortsACopyWhoseSourceIsReplaced) {
  store.set(name("k"), noise(17 * mib, 20));
  options.copy_threshold = 8 * mib;
  options.part_size = 5 * mib;
  options.concurrency = 1;
  std::atomic<int> parts{0};
  store.on_call = [&](const std::string& operation) {
    if (operation == "copy_part" && ++parts == 3) store.set(name("k"), noise(17 * mib, 21));
  };
  EXPECT_EQ(run({copy("k", "l")}).failed, 1U);
  EXPECT_EQ(observer.outcomes[0].second.result.error().code, Errc::precondition);
  EXPECT_FALSE(store.find(name("l")));
  EXPECT_TRUE(store.open_uploads().empty());
}

TEST_F(EngineTest, ReportsWhatARunThatWasKilledMayHaveLeft) {
  write("c", noise(12 * mib, 11));
  options.part_size = 5 * mib;
  // Killed between asking for an upload and hearing its id.
  const auto job = upload("c", "k");
  const auto id = store.create_upload({.target = name("k")}, {});
  {
    auto record =
        UploadRecord::take(scratch.path() / "records", store.place(), std::get<Upload>(job));
    ASSERT_TRUE(record);
    ASSERT_TRUE(record->write({}));
  }
  const Summary summary = run({job});
  EXPECT_EQ(summary.failed, 0U);
  ASSERT_EQ(summary.left_open.size(), 1U);
  EXPECT_EQ(summary.left_open[0].upload_id, *id);
  EXPECT_EQ(store.open_uploads().size(), 1U) << "it may be somebody else's: not aborted";
}

TEST_F(EngineTest, RemembersAcrossAKillThatAnAnswerWasLost) {
  write("c", noise(30 * mib, 11));
  options.part_size = 5 * mib;
  options.concurrency = 1;
  std::atomic<int> creations{0};
  store.on_call = [&](const std::string& operation) {
    const bool first = operation == "create_upload" && creations++ == 0;
    store.faults.lost_answer = first ? 1000 : 0;
  };
  std::stop_source stop;
  store.on_body = [&](const std::string&, std::uint64_t) {
    if (store.bytes_in() > 12 * mib) stop.request_stop();
  };
  run({upload("c", "k")}, stop.get_token());
  store.on_body = {};
  ASSERT_EQ(store.open_uploads().size(), 2U);
  // What the first run told is forgotten, as if it had been killed.
  const Summary summary = run({upload("c", "k")});
  EXPECT_EQ(summary.failed, 0U);
  EXPECT_EQ(summary.continued, 10 * mib);
  ASSERT_EQ(store.open_uploads().size(), 1U);
  ASSERT_EQ(summary.left_open.size(), 1U);
  EXPECT_EQ(summary.left_open[0].upload_id, store.open_uploads().begin()->first);
}

TEST_F(EngineTest, RemovesAThousandAtATime) {
  std::vector<Job> jobs;
  for (int number = 0; number < 2500; ++number) {
    store.set(name(fmt::format("k{}", number)), "x");
    jobs.emplace_back(Remove{.target = name(fmt::format("k{}", number)), .size = 1});
  }
  store.faults.throttled = 100;
  options.attempts = 12;
  const Summary summary = run(jobs);
  EXPECT_EQ(summary.removed.objects, 2500U);
  EXPECT_EQ(summary.removed.bytes, 2500U);
  EXPECT_FALSE(store.find(name("k17")));
  EXPECT_LT(store.calls("remove"), 40U);
}

TEST_F(EngineTest, KeepsRemovalsAndOtherJobsApart) {
  store.set(name("a"), "x");
  write("b", "y");
  const Summary summary = run({Remove{.target = name("a")}, upload("b", "b"),
                               Remove{.target = {.bucket = "other", .key = "c"}}});
  EXPECT_EQ(summary.removed.objects, 2U);
  EXPECT_EQ(summary.uploaded.objects, 1U);
  EXPECT_EQ(store.calls("remove"), 2U);
}

TEST_F(EngineTest, FailsSomeAndFinishesTheRest) {
  store.set(name("a"), "x");
  const Summary summary = run({download("a", "a"), download("missing", "b")});
  EXPECT_EQ(summary.downloaded.objects, 1U);
  EXPECT_EQ(summary.failed, 1U);
  ASSERT_EQ(summary.failures.size(), 1U);
  EXPECT_EQ(summary.failures[0].error.code, Errc::not_found);
}

TEST_F(EngineTest, StopsTryingWhenTheBudgetIsSpent) {
  std::vector<Job> jobs;
  for (int number = 0; number < 100; ++number) {
    jobs.push_back(download(fmt::format("k{}", number), fmt::format("f{}", number)));
  }
  store.dead = true;
  options.retry_budget = 20;
  const Summary summary = run(jobs);
  EXPECT_EQ(summary.failed, 100U);
  EXPECT_LE(store.calls("head"), 120U);
}

TEST_F(EngineTest, RunsAsManyRequestsAsAsked) {
  std::vector<Job> jobs;
  for (int number = 0; number < 200; ++number) {
    store.set(name(fmt::format("k{}", number)), "x");
    jobs.push_back(download(fmt::format("k{}", number), fmt::format("f{}", number)));
  }
  options.concurrency = 3;
  EXPECT_EQ(run(jobs).failed, 0U);
  EXPECT_LE(store.most_at_once(), 3U);
  EXPECT_EQ(run(jobs).concurrency, 3U);
}

TEST_F(EngineTest, EndsWithTheSourcesError) {
  class Breaking final : public JobSource {
   public:
    explicit Breaking(Job job) : job_{std::move(job)} {}
    Result<std::optional<Job>> next() override {
      if (std::exchange(given_, true)) return fail(Errc::denied, "the listing was refused");
      return job_;
    }

   private:
    Job job_;
    bool given_ = false;
  };
  store.set(name("k"), "x");
  Breaking source{download("k", "f")};
  Engine broken{means(), options_with_records()};
  const auto result = broken.run(source, observer, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::denied);
  EXPECT_EQ(broken.last_summary().downloaded.objects, 1U);
}

TEST_F(EngineTest, RefusesOptionsThatS3DoesNotTake) {
  options.part_size = mib;
  JobList none{{}};
  Engine wrong{means(), options};
  EXPECT_EQ(wrong.run(none, observer, {}).error().code, Errc::invalid_argument);
}

TEST_F(EngineTest, HoldsTheBandwidth) {
  store.set(name("k"), noise(2 * mib, 1));
  options.bandwidth = mib;
  const auto before = clock.ticks();
  EXPECT_EQ(run({download("k", "f")}).failed, 0U);
  const double seconds = std::chrono::duration<double>(clock.ticks() - before).count();
  EXPECT_GT(seconds, 1.8);
  EXPECT_LT(seconds, 2.2);
}

}  // namespace
}  // namespace runctl::transfer
