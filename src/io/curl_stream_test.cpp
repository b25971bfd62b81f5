// Bodies that stream through the real HTTP client, to and from servers that fail on the way.
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/curl_transport.hpp"
#include "io/loopback_server.hpp"

namespace runctl {
namespace {

using loopback::Connection;
using loopback::Server;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Ticks = std::chrono::steady_clock;

Ticks::time_point in(Ticks::duration duration) { return Ticks::now() + duration; }

// Bytes that differ from place to place, so that a piece in the wrong place is noticed.
std::string bytes(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 23);
  return out;
}

class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string text) : text_{std::move(text)}, ends_{text_.size()} {}
  void ends_early_at(std::size_t end) { ends_ = end; }
  void fails_at(std::size_t offset) { fails_ = offset; }
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset >= fails_) return fail(Errc::denied, "the disk says no");
    const std::size_t left = ends_ - std::min<std::size_t>(ends_, offset);
    const std::size_t count = std::min(left, into.size());
    std::ranges::copy(std::as_bytes(std::span{text_}).subspan(offset, count), into.begin());
    ++reads;
    return count;
  }
  int reads = 0;

 private:
  std::string text_;
  std::size_t ends_;
  std::size_t fails_ = std::string::npos;
};

class TextSink final : public BodySink {
 public:
  Result<void> begin(const HttpResponse& head) override {
    heads.push_back(head);
    text.clear();
    return {};
  }
  Result<void> write(std::span<const std::byte> piece) override {
    if (text.size() >= full) return fail(Errc::conflict, "no space is left");
    ++writes;
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  }
  std::vector<HttpResponse> heads;
  std::string text;
  std::size_t full = std::string::npos;
  milliseconds pause{0};
  int writes = 0;
};

HttpRequest put(const Server& server) {
  return {.method = "PUT", .url = server.url("/o"), .headers = {{.name = "x-a", .value = "1"}}};
}

TEST(CurlStream, SendsASourceOfAnySizeWhole) {
  for (const std::size_t size : {0UL, 1UL, 65'534UL, 65'535UL, 65'536UL, 5'000'001UL}) {
    std::string seen;
    const Server server{[&](Connection& connection) {
      seen = connection.read_request();
      connection.answer("fine");
    }};
    CurlTransport transport;
    TextSource source{bytes(size)};
    const auto response = transport.stream(put(server), {.source = &source}, in(seconds{60}), {});
    ASSERT_TRUE(response.has_value()) << size << ": " << response.error().message;
    EXPECT_EQ(response->body, "fine");
    EXPECT_THAT(seen, testing::StartsWith("PUT /o HTTP/1.1\r\n"));
    const std::string head = seen.substr(0, seen.find("\r\n\r\n") + 4);
    EXPECT_THAT(head, HasSubstr("\r\nContent-Length: " + std::to_string(size) + "\r\n"));
    EXPECT_THAT(head, testing::Not(HasSubstr("Content-Type")));
    EXPECT_THAT(head, testing::Not(HasSubstr("Expect")));
    EXPECT_TRUE(seen.substr(head.size()) == bytes(size)) << size;
  }
}

TEST(CurlStream, BringsABodyToTheSinkWithItsHeadBefore) {
  for (const std::size_t size : {0UL, 10UL, 5'000'001UL}) {
    const Server server{[&](Connection& connection) {
      connection.read_request();
      connection.write("HTTP/1.1 206 Partial\r\nETag: \"e\"\r\nContent-Length: " +
                       std::to_string(size) + "\r\n\r\n" + bytes(size));
    }};
    CurlTransport transport;
    TextSink sink;
    const auto response =
        transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {});
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 206);
    EXPECT_EQ(response->body, "");
    ASSERT_EQ(sink.heads.size(), 1U);
    EXPECT_EQ(sink.heads[0].status, 206);
    EXPECT_EQ(sink.heads[0].headers[0].name, "etag");
    EXPECT_TRUE(sink.text == bytes(size));
  }
}

// Each is a system call, and pages of a file that are taken singly.
TEST(CurlStream, GivesTheSinkLargePieces) {
  const Server server{[&](Connection& connection) {
    connection.read_request();
    connection.answer(bytes(16'000'000));
  }};
  CurlTransport transport;
  TextSink sink;
  ASSERT_TRUE(transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {}));
  EXPECT_TRUE(sink.text == bytes(16'000'000));
  EXPECT_LT(sink.writes, 500);  // libcurl's own would be 977
}

TEST(CurlStream, KeepsTheBodyOfARefusalFromTheSink) {
  for (const std::string status : {"404 Not Found", "301 Moved", "503 Slow"}) {
    const Server server{[&](Connection& connection) {
      connection.read_request();
      connection.write("HTTP/1.1 " + status + "\r\nContent-Length: 7\r\n\r\n<Error>");
    }};
    CurlTransport transport;
    TextSink sink;
    const auto response =
        transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {});
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "<Error>");
    EXPECT_TRUE(sink.heads.empty()) << status;
  }
}

TEST(CurlStream, ErrorsOfTheSourceComeBackAsTheyAre) {
  const Server server{[](Connection& connection) { connection.stay_silent(); }};
  for (const std::size_t size : {1000UL, 1'000'000UL}) {
    CurlTransport transport;
    TextSource source{bytes(size)};
    source.fails_at(size / 2);
    source.ends_early_at(size / 2);
    const auto response = transport.stream(put(server), {.source = &source}, in(seconds{60}), {});
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, Errc::denied);
    EXPECT_EQ(response.error().message, "the disk says no");
  }
}

// A file that becomes shorter while it is sent must not be taken for a whole one.
TEST(CurlStream, ASourceThatEndsEarlyIsAnError) {
  const Server server{[](Connection& connection) { connection.stay_silent(); }};
  for (const std::size_t size : {1000UL, 1'000'000UL}) {
    CurlTransport transport;
    TextSource source{bytes(size)};
    source.ends_early_at(size / 2);
    const auto response = transport.stream(put(server), {.source = &source}, in(seconds{60}), {});
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, Errc::precondition) << response.error().message;
  }
}

TEST(CurlStream, ErrorsOfTheSinkComeBackAsTheyAre) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.answer(bytes(3'000'000));
  }};
  CurlTransport transport;
  TextSink sink;
  sink.full = 1'000'000;
  const auto response =
      transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::conflict);
  EXPECT_EQ(response.error().message, "no space is left");
}

TEST(CurlStream, ABodyCutShortIsNoAnswer) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  }};
  CurlTransport transport;
  TextSink sink;
  const auto response =
      transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(sink.text, "half");
}

TEST(CurlStream, SilenceIsAStallWellBeforeTheDeadline) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.stay_silent();
  }};
  CurlTransport transport;
  TextSink sink;
  const auto began = Ticks::now();
  const auto response =
      transport.stream({.url = server.url()}, {.sink = &sink, .stall = milliseconds{300}},
                       Ticks::time_point::max(), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().effect, Effect::unknown);
  EXPECT_THAT(response.error().message, HasSubstr("nothing moved for 300 ms"));
  EXPECT_LT(Ticks::now() - began, seconds{5});
}

TEST(CurlStream, AnUploadThatNobodyTakesStalls) {
  const Server server{[](Connection& connection) {
    connection.write("");  // never reads
    std::this_thread::sleep_for(seconds{3});
  }};
  CurlTransport transport;
  TextSource source{bytes(64'000'000)};
  const auto response = transport.stream(
      put(server), {.source = &source, .stall = milliseconds{300}}, in(seconds{20}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_THAT(response.error().message, HasSubstr("nothing moved"));
}

// A bandwidth limit sleeps in the sink.
TEST(CurlStream, TimeThatTheSinkTakesIsNoStall) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.answer(bytes(100'000));
  }};
  CurlTransport transport;
  TextSink sink;
  sink.pause = milliseconds{400};
  const auto response = transport.stream(
      {.url = server.url()}, {.sink = &sink, .stall = milliseconds{200}}, in(seconds{20}), {});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_TRUE(sink.text == bytes(100'000));
}

TEST(CurlStream, AStopCancels) {
  const Server server{[](Connection& connection) { connection.stay_silent(); }};
  CurlTransport transport;
  std::stop_source stop;
  const std::jthread stopper{[&] {
    std::this_thread::sleep_for(milliseconds{100});
    stop.request_stop();
  }};
  TextSource source{bytes(1'000'000)};
  const auto response =
      transport.stream(put(server), {.source = &source}, in(seconds{30}), stop.get_token());
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::cancelled);
}

// S3 refuses a body that is on its way: wrong region, no such bucket.
TEST(CurlStream, ARefusalBeforeTheBodysEndIsRead) {
  const Server server{[](Connection& connection) {
    connection.write("HTTP/1.1 307 Elsewhere\r\nContent-Length: 4\r\n\r\nthat");
    connection.stay_silent();
  }};
  CurlTransport transport;
  TextSource source{bytes(64'000'000)};
  const auto response = transport.stream(put(server), {.source = &source}, in(seconds{60}), {});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(response->body, "that");
  EXPECT_LT(source.reads, 200);  // most was not sent
}

TEST(CurlStream, SendsOnceEvenWhenAKeptConnectionEnds) {
  for (const std::size_t size : {10UL, 1'000'000UL}) {
    std::atomic<int> requests = 0;
    const Server server{[&](Connection& connection) {
      if (connection.read_request().empty()) return;
      ++requests;
      connection.answer("first");
      if (!connection.read_request().empty()) ++requests;  // acted on, and never answered
    }};
    CurlTransport transport;
    TextSource source{bytes(size)};
    ASSERT_TRUE(transport.stream(put(server), {.source = &source}, in(seconds{60}), {}));
    const auto second = transport.stream(put(server), {.source = &source}, in(seconds{60}), {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::unavailable) << second.error().message;
    EXPECT_EQ(second.error().effect, Effect::unknown);
    EXPECT_EQ(requests, 2);
  }
}

TEST(CurlStream, KeepsConnectionsOpenBetweenBothWays) {
  const Server server{[](Connection& connection) {
    while (!connection.read_request().empty()) connection.answer(bytes(300'000));
  }};
  CurlTransport transport;
  for (int i = 0; i < 3; ++i) {
    TextSource source{bytes(200'000)};
    TextSink sink;
    ASSERT_TRUE(transport.stream(put(server), {.source = &source}, in(seconds{60}), {}));
    ASSERT_TRUE(transport.stream({.url = server.url()}, {.sink = &sink}, in(seconds{60}), {}));
    EXPECT_TRUE(sink.text == bytes(300'000));
  }
  EXPECT_EQ(server.connections(), 1);
}

// What a fake with nothing but send() does in its place.
class Echo final : public HttpTransport {
 public:
  Result<HttpResponse> send(const HttpRequest& request, Ticks::time_point,
                            const std::stop_token&) override {
    return HttpResponse{.status = status, .headers = {}, .body = request.body + "!"};
  }
  int status = 200;
};

TEST(HttpTransport, StreamsInTermsOfSend) {
  Echo echo;
  TextSource source{bytes(100'000)};
  TextSink sink;
  const auto response =
      echo.stream({.method = "PUT"}, {.source = &source, .sink = &sink}, in(seconds{1}), {});
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->body, "");
  EXPECT_TRUE(sink.text == bytes(100'000) + "!");
  echo.status = 404;
  TextSink other;
  const auto refusal = echo.stream({.method = "GET"}, {.sink = &other}, in(seconds{1}), {});
  EXPECT_EQ(refusal->body, "!");
  EXPECT_TRUE(other.heads.empty());
}

}  // namespace
}  // namespace runctl
