// The transfer engine on the emulator's S3, over real connections: faults from a seed, stopped at
// random points and taken up again. What arrives is compared by SHA-256.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/s3/client.hpp"
#include "base/hasher.hpp"
#include "base/text.hpp"
#include "emulator/event_log.hpp"
#include "emulator/fault.hpp"
#include "emulator/s3/service.hpp"
#include "emulator/s3/store.hpp"
#include "emulator/server/http_server.hpp"
#include "io/curl_transport.hpp"
#include "io/file.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"
#include "transfer/engine.hpp"
#include "transfer/partial_file.hpp"
#include "transfer/s3_store.hpp"

namespace runctl {
namespace {

using namespace transfer;

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// S3 in this process, on a port of its own.
class Server {
 public:
  Server(const std::filesystem::path& directory, std::uint64_t seed) : faults{seed} {
    auto opened = emulator::s3::Store::open(directory);
    if (!opened) throw std::runtime_error{opened.error().message};
    store_ = *std::move(opened);
    service_ = std::make_unique<emulator::s3::Service>(emulator::s3::ServiceParts{
        .clock = clock_, .random = random_, .events = events_, .faults = faults, .store = *store_});
    emulator::HttpHandlers handlers;
    handlers.is_streamed = [](const HttpRequest&) { return true; };
    handlers.streamed = [this](const HttpRequest& head, emulator::RequestBody& body) {
      return service_->handle(head, body);
    };
    auto listening = emulator::HttpServer::listen({}, std::move(handlers));
    if (!listening) throw std::runtime_error{listening.error().message};
    server_ = *std::move(listening);
  }

  [[nodiscard]] std::string endpoint() const {
    return fmt::format("http://127.0.0.1:{}", server_->port());
  }

  emulator::Faults faults;

 private:
  RealClock clock_;
  SystemRandom random_;
  emulator::NoEventLog events_;
  std::unique_ptr<emulator::s3::Store> store_;
  std::unique_ptr<emulator::s3::Service> service_;
  std::unique_ptr<emulator::HttpServer> server_;
};

class Told final : public Observer {
 public:
  void on_done(const Job& job, const Outcome& outcome) override {
    if (!outcome.result) errors.push_back(to_text(job) + ": " + outcome.result.error().message);
  }
  void on_notice(const Job&, const std::string&) override {}
  std::vector<std::string> errors;
};

// Takes an object as it comes, for the comparison.
class Digest final : public BodySink {
 public:
  Result<void> begin(const HttpResponse&) override {
    hasher_ = Hasher{HashKind::sha256};
    return {};
  }
  Result<void> write(std::span<const std::byte> bytes) override {
    hasher_.update(bytes);
    return {};
  }
  [[nodiscard]] std::string text() const { return hex(hasher_.digest()); }

 private:
  Hasher hasher_{HashKind::sha256};
};

class S3Transfers : public testing::Test {
 protected:
  void begin(std::uint64_t seed) {
    story.seed(seed);
    server.reset();
    scratch = std::make_unique<ScratchDirectory>();
    std::filesystem::create_directory(files());
    std::filesystem::create_directory(scratch->path() / "state");
    server = std::make_unique<Server>(scratch->path() / "state", seed);
    aws::s3::S3Config config{
        .region = "us-east-1",
        .credentials = {.access_key_id = "emulator", .secret_access_key = Secret{"emulator"}},
        .endpoint = server->endpoint(),
        .retry = {.attempts = 1}};
    config.checksum_place =
        below(2) == 0 ? aws::s3::ChecksumPlace::trailer : aws::s3::ChecksumPlace::header;
    client = std::make_unique<aws::s3::S3Client>(http, clock, random, log, config);
    ASSERT_TRUE(client->call<aws::s3::CreateBucket>({.bucket = "bucket"}));
    told.clear();
    unknown_told = false;
  }

  std::uint64_t below(std::uint64_t bound) { return story() % bound; }
  [[nodiscard]] std::filesystem::path files() const { return scratch->path() / "files"; }
  static ObjectName name(const std::string& key) { return {.bucket = "bucket", .key = key}; }

  void make_faults() {
    using Effect = emulator::FaultEffect;
    std::vector<emulator::FaultRule> rules;
    const auto add = [&](const char* action, std::vector<Effect> effects) {
      rules.push_back({.action = action,
                       .effect = effects[below(effects.size())],
                       .rate = static_cast<double>(below(15)) / 100.0});
    };
    const std::vector<Effect> bodies{Effect::throttle, Effect::drop_reply, Effect::drop_before,
                                     Effect::reset,    Effect::bit_flip,   Effect::truncate};
    for (const char* action : {"PutObject", "UploadPart", "GetObject"}) add(action, bodies);
    const std::vector<Effect> documents{Effect::throttle, Effect::drop_reply, Effect::drop_before};
    for (const char* action : {"CreateMultipartUpload", "CompleteMultipartUpload", "HeadObject",
                               "ListParts", "AbortMultipartUpload"}) {
      add(action, documents);
    }
    server->faults.set(std::move(rules));
    options.concurrency = 1 + static_cast<unsigned>(below(6));
    options.interrupted = below(3) == 0 ? Interrupted::abort : Interrupted::keep;
  }

  std::string write_some(const std::string& file) {
    const std::uint64_t sizes[] = {0, 1 + below(1000), 300'000 + below(mib),
                                   5 * mib + below(20 * mib)};
    std::string bytes(sizes[below(4)], '\0');
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      const std::uint64_t word = story();
      std::copy_n(reinterpret_cast<const char*>(&word), 8, bytes.begin() + static_cast<long>(at));
    }
    std::filesystem::create_directories((files() / file).parent_path());
    std::ofstream{files() / file, std::ios::binary} << bytes;
    return digest_of_file(files() / file);
  }
  static std::string digest_of_file(const std::filesystem::path& path) {
    const std::string bytes = read_file(path).value_or("");
    Hasher hasher{HashKind::sha256};
    hasher.update(std::as_bytes(std::span{bytes}));
    return hex(hasher.digest());
  }
  // "" when it is not there.
  std::string digest_of_object(const std::string& key) {
    Digest digest;
    const auto got = client->get({.bucket = "bucket", .key = key}, digest);
    return got ? digest.text() : std::string{};
  }

  Summary run(const std::vector<Job>& jobs, const std::stop_token& stop) {
    S3Store store{*client};
    Options all = options;
    all.part_size = 5 * mib;
    all.resume_directory = scratch->path() / "records";
    observer.errors.clear();
    Engine engine{{.store = store, .clock = clock, .random = random, .log = log}, all};
    JobList source{jobs};
    auto summary = engine.run(source, observer, stop);
    EXPECT_TRUE(summary.has_value());
    for (const OpenUpload& left : summary->left_open) {
      unknown_told = unknown_told || left.upload_id.empty();
      told.insert(left.upload_id);
    }
    return *std::move(summary);
  }

  // Stopped at some moment, while somebody looks.
  void run_interrupted(const std::vector<Job>& jobs, const std::function<void()>& look) {
    std::stop_source stop;
    const std::chrono::milliseconds moment{below(1200)};
    const std::jthread stopper{[&](const std::stop_token& ended) {
      const auto end = clock.ticks() + moment;
      while (!ended.stop_requested() && clock.ticks() < end) {
        look();
        (void)clock.sleep_until(clock.ticks() + std::chrono::milliseconds{5}, ended);
      }
      stop.request_stop();
    }};
    run(jobs, stop.get_token());
  }

  void expect_all_told() {
    S3Store store{*client};
    auto open = client->call<aws::s3::ListMultipartUploads>({.bucket = "bucket"});
    ASSERT_TRUE(open);
    for (const auto& upload : open->uploads) {
      EXPECT_TRUE(unknown_told || told.contains(upload.upload_id))
          << upload.key << ": nobody was told of " << upload.upload_id;
    }
  }

  CurlTransport http;
  RealClock clock;
  SystemRandom random;
  NoLog log;
  std::mt19937_64 story;
  std::unique_ptr<ScratchDirectory> scratch;
  std::unique_ptr<Server> server;
  std::unique_ptr<aws::s3::S3Client> client;
  Options options{.durability = Durability::kernel};
  Told observer;
  std::set<std::string> told;
  bool unknown_told = false;
};

TEST_F(S3Transfers, UploadsArriveWholeOrNotAtAll) {
  const std::uint64_t first = number_from("RUNCTL_TRANSFER_SEED", 1);
  for (std::uint64_t seed = first; seed < first + number_from("RUNCTL_TRANSFER_ROUNDS", 4);
       ++seed) {
    SCOPED_TRACE(fmt::format("RUNCTL_TRANSFER_SEED={}", seed));
    begin(seed);
    std::vector<Job> jobs;
    std::map<std::string, std::string> wanted;
    for (std::uint64_t number = 0; number < 2 + below(5); ++number) {
      const std::string key = fmt::format("f{}", number);
      wanted[key] = write_some(key);
      jobs.emplace_back(Upload{.root = files(), .name = key, .target = name(key)});
    }
    for (int attempt = 0; attempt < 3; ++attempt) {
      make_faults();
      run_interrupted(jobs, [] {});
      server->faults.set({});
      for (const auto& [key, digest] : wanted) {
        const std::string found = digest_of_object(key);
        EXPECT_TRUE(found.empty() || found == digest) << key << " is visible, and torn";
      }
    }
    EXPECT_EQ(run(jobs, {}).failed, 0U) << fmt::format("{}", fmt::join(observer.errors, "\n"));
    for (const auto& [key, digest] : wanted) EXPECT_EQ(digest_of_object(key), digest) << key;
    expect_all_told();
  }
}

TEST_F(S3Transfers, DownloadsArriveWholeOrNotAtAll) {
  const std::uint64_t first = number_from("RUNCTL_TRANSFER_SEED", 1);
  for (std::uint64_t seed = first; seed < first + number_from("RUNCTL_TRANSFER_ROUNDS", 4);
       ++seed) {
    SCOPED_TRACE(fmt::format("RUNCTL_TRANSFER_SEED={}", seed));
    begin(seed);
    std::vector<Job> up;
    std::vector<Job> down;
    std::map<std::string, std::string> wanted;
    for (std::uint64_t number = 0; number < 2 + below(5); ++number) {
      const std::string key = fmt::format("d{}/f{}", number % 2, number);
      wanted[key] = write_some(key);
      up.emplace_back(Upload{.root = files(), .name = key, .target = name(key)});
      down.emplace_back(
          Download{.source = name(key), .root = scratch->path() / "back", .name = key});
    }
    ASSERT_EQ(run(up, {}).failed, 0U);
    const auto look = [&] {
      for (const auto& [key, digest] : wanted) {
        const auto path = scratch->path() / "back" / key;
        if (!std::filesystem::exists(path)) continue;
        EXPECT_EQ(digest_of_file(path), digest) << key;
      }
    };
    for (int attempt = 0; attempt < 3; ++attempt) {
      make_faults();
      options.multipart_threshold = 5 * mib + below(12 * mib);
      run_interrupted(down, look);
      look();
    }
    server->faults.set({});
    EXPECT_EQ(run(down, {}).failed, 0U) << fmt::format("{}", fmt::join(observer.errors, "\n"));
    for (const auto& [key, digest] : wanted) {
      EXPECT_EQ(digest_of_file(scratch->path() / "back" / key), digest) << key;
    }
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator{scratch->path() / "back"}) {
      EXPECT_FALSE(is_partial_name(entry.path().filename().string())) << entry.path();
    }
  }
}

TEST_F(S3Transfers, CopiesAndRemovesInsideS3) {
  begin(7);
  std::ofstream{files() / "a"} << "hello";
  const std::string digest = digest_of_file(files() / "a");
  ASSERT_EQ(run({Upload{.root = files(),
                        .name = "a",
                        .target = name("a"),
                        .attributes = {.content_type = "text/plain"}}},
                {})
                .failed,
            0U);
  ASSERT_EQ(run({Copy{.source = name("a"), .target = name("b c+d/\u00e9")}}, {}).failed, 0U)
      << fmt::format("{}", fmt::join(observer.errors, "\n"));
  EXPECT_EQ(digest_of_object("b c+d/\u00e9"), digest);
  S3Store store{*client};
  EXPECT_EQ(store.head(name("b c+d/\u00e9"), {})->attributes.content_type, "text/plain");
  const std::string odd = "with \x01 control";
  ASSERT_EQ(run({Copy{.source = name("a"), .target = name(odd)}}, {}).failed, 0U);
  const Summary removed = run({Remove{.target = name("a")}, Remove{.target = name("b c+d/\u00e9")},
                               Remove{.target = name(odd)}, Remove{.target = name("not there")}},
                              {});
  EXPECT_EQ(removed.removed.objects, 4U) << fmt::format("{}", fmt::join(observer.errors, "\n"));
  for (const std::string& key : {std::string{"a"}, std::string{"b c+d/\u00e9"}, odd}) {
    EXPECT_EQ(digest_of_object(key), "") << key;
  }
}

TEST_F(S3Transfers, CopiesALargeObjectInPartsThatS3Compares) {
  begin(8);
  const std::string key = "large";
  std::string bytes(12 * mib, 'x');
  std::ofstream{files() / key, std::ios::binary} << bytes;
  ASSERT_EQ(run({Upload{.root = files(), .name = key, .target = name(key)}}, {}).failed, 0U)
      << fmt::format("{}", fmt::join(observer.errors, "\n"));
  S3Store store{*client};
  const auto facts = store.head(name(key), {});
  ASSERT_TRUE(facts);
  ASSERT_TRUE(facts->checksum);
  EXPECT_TRUE(facts->checksum->full_object);
  const auto id = store.create_upload({.target = name("copy")}, {});
  ASSERT_TRUE(id);
  std::vector<Part> parts;
  for (unsigned number = 1; number <= 2; ++number) {
    const auto stored =
        store.copy_part({.source = name(key),
                         .source_if_match = facts->etag,
                         .part = {.target = name("copy"), .upload_id = *id, .number = number},
                         .first = (number - 1) * 6 * mib,
                         .length = 6 * mib},
                        {});
    ASSERT_TRUE(stored) << stored.error().message;
    parts.push_back(
        {.number = number, .size = 6 * mib, .etag = stored->etag, .checksum = stored->checksum});
  }
  const auto crc = parse_crc(CrcKind::crc64nvme, facts->checksum->value);
  const auto wrong = store.complete_upload(
      {.target = name("copy"), .upload_id = *id, .parts = parts, .size = 12 * mib, .crc = *crc + 1},
      {});
  EXPECT_FALSE(wrong) << "S3 refuses another checksum";
  const auto whole = store.complete_upload(
      {.target = name("copy"), .upload_id = *id, .parts = parts, .size = 12 * mib, .crc = crc}, {});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(digest_of_object("copy"), digest_of_file(files() / key));
}

}  // namespace
}  // namespace runctl
