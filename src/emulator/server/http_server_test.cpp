#include "emulator/server/http_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <future>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::emulator {
namespace {

class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool is_open() const { return open_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // What comes until `text` has come, the other side closes, or five seconds have passed.
  std::string receive_until(std::string_view text) {
    std::string all;
    std::array<char, 4096> piece{};
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (!all.ends_with(text) || text.empty()) {
      if (::poll(&ready, 1, 5'000) != 1) return all + " (nothing more came)";
      const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (got < 0) return all + "<reset>";
      if (got == 0) return all + "<closed>";
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  UniqueFd fd_;
  bool open_ = false;
};

std::unique_ptr<HttpServer> serve(HttpServerOptions options = {}, HttpHandler handler = {}) {
  if (!handler) {
    handler = [](const HttpRequest& request) {
      return HttpResponse{.status = 200,
                          .body = request.method + " " + request.url + " " + request.body + "."};
    };
  }
  auto server = HttpServer::listen(options, std::move(handler));
  return server ? *std::move(server) : nullptr;
}

std::string post(std::string_view body) {
  return "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string{body};
}

TEST(HttpServer, CanLoseAnAnswerOrEndInTheMiddleOfIt) {
  const auto server = serve({}, [](const HttpRequest& request) -> Reply {
    const bool half = request.body == "half";
    return {HttpResponse{.status = 200, .body = "0123456789"},
            half ? Delivery::half : Delivery::none};
  });
  Connection lost{server->port()};
  ASSERT_TRUE(lost.send(post("none")));
  EXPECT_EQ(lost.receive_until(""), "<closed>");
  Connection cut{server->port()};
  ASSERT_TRUE(cut.send(post("half")));
  const std::string seen = cut.receive_until("");
  EXPECT_TRUE(seen.contains("Content-Length: 10\r\n")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n01234<closed>")) << seen;
}

TEST(HttpServer, KeepsAConnectionForManyRequests) {
  const auto server = serve();
  Connection client{server->port()};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(post("one")));
    const auto answer = client.receive_until("one.");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK")) << answer;
    EXPECT_NE(answer.find("POST http://h/x one."), std::string::npos);
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrderAndThenTheGarbage) {
  const auto server = serve();
  Connection client{server->port()};
  ASSERT_TRUE(client.send(post("first") + post("second") + "\x01\x02 garbage\r\n\r\n"));
  const auto all = client.receive_until("");
  const auto first = all.find("first.");
  const auto second = all.find("second.");
  const auto bad = all.find("400 Bad Request");
  ASSERT_NE(bad, std::string::npos) << all;
  EXPECT_LT(first, second);
  EXPECT_LT(second, bad);
  EXPECT_TRUE(all.ends_with("<closed>"));
}

TEST(HttpServer, RefusesWhatIsTooLarge) {
  const auto server = serve({.header_limit = 1'000, .body_limit = 1'000});
  Connection body{server->port()};
  ASSERT_TRUE(body.send(post(std::string(1'001, 'x'))));
  EXPECT_TRUE(body.receive_until("").starts_with("HTTP/1.1 413"));
  Connection header{server->port()};
  ASSERT_TRUE(header.send("GET / HTTP/1.1\r\nX: " + std::string(2'000, 'x')));
  EXPECT_TRUE(header.receive_until("").starts_with("HTTP/1.1 431"));
  Connection fits{server->port()};
  ASSERT_TRUE(fits.send(post(std::string(1'000, 'x'))));
  EXPECT_TRUE(fits.receive_until("x.").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, DropsAClientThatIsTooSlow) {
  const auto server = serve({.idle_timeout = std::chrono::milliseconds{100}});
  Connection slow{server->port()};
  ASSERT_TRUE(slow.send("POST / HTT"));
  EXPECT_TRUE(slow.receive_until("").ends_with("<closed>"));
  Connection silent{server->port()};
  EXPECT_EQ(silent.receive_until(""), "<closed>");
}

TEST(HttpServer, ASlowRequestHoldsUpNoOther) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  const auto server = serve({}, [released](const HttpRequest& request) {
    if (request.body == "slow") released.wait();
    return HttpResponse{.status = 200, .body = request.body + "."};
  });
  Connection slow{server->port()};
  ASSERT_TRUE(slow.send(post("slow")));
  std::vector<Connection> others;
  for (int i = 0; i < 20; ++i) {
    others.emplace_back(server->port());
    ASSERT_TRUE(others.back().send(post("quick")));
    EXPECT_TRUE(others.back().receive_until("quick.").starts_with("HTTP/1.1 200"));
  }
  release.set_value();
  EXPECT_TRUE(slow.receive_until("slow.").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, AsksForABodyThatWaitsToBeAskedFor) {
  const auto server = serve();
  Connection client{server->port()};
  ASSERT_TRUE(client.send(
      "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  EXPECT_TRUE(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 100 Continue"));
  ASSERT_TRUE(client.send("body"));
  EXPECT_TRUE(client.receive_until("body.").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, ADefectInTheHandlerIsAnswered) {
  const auto server =
      serve({}, [](const HttpRequest&) -> HttpResponse { throw std::runtime_error{"defect"}; });
  Connection client{server->port()};
  ASSERT_TRUE(client.send(post("")));
  EXPECT_TRUE(client.receive_until("defect").starts_with("HTTP/1.1 500"));
}

TEST(HttpServer, AnswersWhatIsInWhenItStops) {
  std::promise<void> entered;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  auto server = serve({}, [&, released](const HttpRequest&) {
    entered.set_value();
    released.wait();
    return HttpResponse{.status = 200, .body = "done."};
  });
  const auto port = server->port();
  Connection idle{port};
  Connection busy{port};
  ASSERT_TRUE(busy.send(post("")));
  entered.get_future().wait();
  std::jthread stopper{[&] { server.reset(); }};
  EXPECT_EQ(idle.receive_until(""), "<closed>");
  release.set_value();
  const auto answer = busy.receive_until("");
  EXPECT_NE(answer.find("done."), std::string::npos) << answer;
  stopper.join();
  EXPECT_FALSE(Connection{port}.is_open());
}

// Answers how many bytes came in, and how many pieces they came in.
HttpHandlers counting() {
  return {.whole = [](const HttpRequest&) { return HttpResponse{.status = 500, .body = "whole."}; },
          .is_streamed = [](const HttpRequest& head) { return head.url.contains("/stream"); },
          .streamed = [](const HttpRequest& head, RequestBody& body) -> Reply {
            if (head.url.ends_with("/refused")) return HttpResponse{.status = 404, .body = "no."};
            std::array<std::byte, 1'000> piece{};
            std::size_t sum = 0;
            while (true) {
              const auto got = body.read(piece);
              if (!got) return HttpResponse{.status = 400, .body = got.error().message + "."};
              if (*got == 0) break;
              sum += *got;
            }
            return HttpResponse{.status = 200, .body = std::to_string(sum) + " bytes."};
          }};
}

std::unique_ptr<HttpServer> stream(HttpServerOptions options = {}) {
  auto server = HttpServer::listen(options, counting());
  return server ? *std::move(server) : nullptr;
}

TEST(HttpServer, StreamsABodyThatIsLargerThanItWouldHold) {
  const auto server = stream({.body_limit = 1'000});
  Connection client{server->port()};
  ASSERT_TRUE(client.send("PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" +
                          std::string(3'000'000, 'x')));
  EXPECT_TRUE(client.receive_until("bytes.").ends_with("3000000 bytes."));
  ASSERT_TRUE(
      client.send("PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\n12345\r\n1000;name=value\r\n" +
                  std::string(4'096, 'x') + "\r\n0\r\n\r\n"));
  EXPECT_TRUE(client.receive_until("bytes.").ends_with("4101 bytes."));
  ASSERT_TRUE(
      client.send("PUT /stream HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"));
  EXPECT_TRUE(client.receive_until("").starts_with("HTTP/1.1 400"));
}

TEST(HttpServer, GoesOnAfterABodyThatNobodyRead) {
  const auto server = stream();
  Connection client{server->port()};
  const std::string body(500'000, 'x');
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.send(
        "PUT /stream/refused HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + body));
    EXPECT_TRUE(client.receive_until("no.").starts_with("HTTP/1.1 404"));
  }
}

TEST(HttpServer, AsksForNoBodyThatNobodyWants) {
  const auto server = stream();
  Connection client{server->port()};
  ASSERT_TRUE(
      client.send("PUT /stream/refused HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 500000\r\n\r\n"));
  const std::string all = client.receive_until("");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 404")) << all;
  EXPECT_TRUE(all.contains("Connection: close\r\n")) << all;
}

TEST(HttpServer, TellsTheHandlerOfAClientThatStopsSending) {
  const auto server = stream({.idle_timeout = std::chrono::milliseconds{100}});
  Connection slow{server->port()};
  ASSERT_TRUE(slow.send("PUT /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_TRUE(slow.receive_until("").starts_with("HTTP/1.1 400")) << "too slow";
}

class Pieces final : public ReplyBody {
 public:
  explicit Pieces(std::filesystem::path path, std::uint64_t length)
      : path_{std::move(path)}, length_{length} {}
  [[nodiscard]] std::uint64_t size() const override { return 2 * length_; }
  [[nodiscard]] Result<std::optional<FilePiece>> next() override {
    if (count_++ == 2) return std::nullopt;
    return FilePiece{.file = UniqueFd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)},
                     .offset = 1,
                     .length = length_};
  }

 private:
  std::filesystem::path path_;
  std::uint64_t length_;
  int count_ = 0;
};

class HttpServerFiles : public ::testing::Test {
 protected:
  // What a client receives of two pieces of `length` bytes after "HEAD /" or "GET /".
  std::string received(std::uint64_t length, const std::string& method, const Reply& like) {
    std::string content(length + 2, 'x');
    content[0] = 'a';
    content[1] = 'b';
    content[length] = 'y';
    EXPECT_TRUE(write_file_atomically(scratch_.path() / "file", content));
    const auto server = serve({}, [&](const HttpRequest&) {
      Reply reply{HttpResponse{.status = 200},
                  std::make_shared<Pieces>(scratch_.path() / "file", length)};
      reply.delivery = like.delivery;
      reply.flipped_byte = like.flipped_byte;
      reply.bytes_per_second = like.bytes_per_second;
      return reply;
    });
    Connection client{server->port()};
    EXPECT_TRUE(client.send(method + " / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    const std::string all = client.receive_until("");
    const auto body = all.find("\r\n\r\n");
    EXPECT_TRUE(all.contains("Content-Length: " + std::to_string(2 * length) + "\r\n")) << all;
    return body == std::string::npos ? all : all.substr(body + 4);
  }

  ScratchDirectory scratch_;
};

std::string two_pieces(std::size_t length) {
  const std::string one = "b" + std::string(length - 2, 'x') + "y";
  return one + one;
}

TEST_F(HttpServerFiles, SendsPiecesOfFilesShortAndLong) {
  for (const std::uint64_t length : {2U, 10U, 70'000U, 3'000'000U}) {
    EXPECT_EQ(received(length, "GET", HttpResponse{}), two_pieces(length) + "<closed>");
  }
  EXPECT_EQ(received(10, "HEAD", HttpResponse{}), "<closed>");
}

// A file of 100,000 bytes, again and again; from the second time on when the client has gone.
class FilesForNobody final : public ReplyBody {
 public:
  FilesForNobody(std::filesystem::path path, std::shared_future<void> gone)
      : path_{std::move(path)}, gone_{std::move(gone)} {}
  [[nodiscard]] std::uint64_t size() const override { return 1'000'000; }
  [[nodiscard]] Result<std::optional<FilePiece>> next() override {
    if (std::exchange(is_second_, true)) gone_.wait();
    return FilePiece{.file = UniqueFd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)},
                     .length = 100'000};
  }

 private:
  std::filesystem::path path_;
  std::shared_future<void> gone_;
  bool is_second_ = false;
};

TEST_F(HttpServerFiles, AClientThatHasGoneEndsNothingButItsConnection) {
  // The program ignores it; who links the server in need not.
  ASSERT_NE(::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  ASSERT_TRUE(write_file_atomically(scratch_.path() / "file", std::string(100'000, 'x')));
  std::promise<void> gone;
  const auto server =
      serve({}, [&, future = gone.get_future().share()](const HttpRequest& request) -> Reply {
        if (request.url.ends_with("/short")) return HttpResponse{.status = 200, .body = "here"};
        return {HttpResponse{.status = 200},
                std::make_shared<FilesForNobody>(scratch_.path() / "file", future)};
      });
  {
    Connection client{server->port()};
    ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    std::string all;
    while (!all.ends_with(std::string(100'000, 'x'))) all += client.receive_until("x");
  }
  gone.set_value();
  Connection other{server->port()};
  ASSERT_TRUE(other.send("GET /short HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_THAT(other.receive_until("here"), testing::EndsWith("here"));
}

TEST_F(HttpServerFiles, DamagesWhatItIsToldTo) {
  for (const std::uint64_t length : {10U, 70'000U}) {
    Reply flips{HttpResponse{}};
    flips.flipped_byte = length;
    std::string expected = two_pieces(length);
    expected[length] = 'c';
    EXPECT_EQ(received(length, "GET", flips), expected + "<closed>");
    EXPECT_EQ(received(length, "GET", {HttpResponse{}, Delivery::half}),
              expected.substr(0, length) + "<closed>");
    Reply fast_enough{HttpResponse{}};
    fast_enough.bytes_per_second = 10'000'000;
    EXPECT_EQ(received(length, "GET", fast_enough), two_pieces(length) + "<closed>");
  }
}

TEST(HttpServer, TakesItsTimeWhenItIsToldTo) {
  const auto server = serve({}, [](const HttpRequest&) {
    Reply reply{HttpResponse{.status = 200, .body = "0123456789"}};
    reply.bytes_per_second = 100;
    return reply;
  });
  const RealClock clock;
  const auto begin = clock.ticks();
  Connection client{server->port()};
  ASSERT_TRUE(client.send(post("")));
  EXPECT_TRUE(client.receive_until("9").ends_with("0123456789"));
  // Ten bytes at a hundred a second are 100 ms, of which the last pause is after the last byte.
  EXPECT_GE(clock.ticks() - begin, std::chrono::milliseconds{40});
}

TEST(HttpServer, CanResetAConnectionInTheMiddle) {
  const auto server = serve({}, [](const HttpRequest&) -> Reply {
    return {HttpResponse{.status = 200, .body = std::string(5'000'000, 'x')}, Delivery::reset};
  });
  Connection client{server->port()};
  ASSERT_TRUE(client.send(post("")));
  const std::string seen = client.receive_until("");
  EXPECT_TRUE(seen.ends_with("<reset>")) << seen.size();
  EXPECT_LT(seen.size(), 2'600'000U);
}

TEST(HttpServer, APortThatIsTakenIsAConflict) {
  const auto server = serve();
  const auto second = HttpServer::listen({.port = server->port()},
                                         [](const HttpRequest&) { return HttpResponse{}; });
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::conflict);
}

}  // namespace
}  // namespace runctl::emulator
