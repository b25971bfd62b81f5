// The real HTTP client against servers that misbehave in every way but by lying about their
// address.
#include "io/curl_transport.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <stdlib.h>
#include <stop_token>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file.hpp"

namespace runctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ticks = std::chrono::steady_clock;
using testing::HasSubstr;

// One accepted connection, read and written without any knowledge of HTTP but where a request ends.
class Connection {
 public:
  Connection(UniqueFd fd, std::stop_token stop) : fd_{std::move(fd)}, stop_{std::move(stop)} {}

  // Head and body of the next request; empty when the client has closed.
  std::string read_request() {
    while (true) {
      const auto head = buffer_.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t size = head + 4;
        const auto length = buffer_.find("Content-Length: ");
        if (length < head) size += std::stoul(buffer_.substr(length + 16));
        if (buffer_.size() >= size) {
          const std::string request = buffer_.substr(0, size);
          buffer_.erase(0, size);
          return request;
        }
      }
      std::array<char, 4096> piece{};
      if (!wait_until_readable()) return {};
      const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (got <= 0) return {};
      buffer_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void answer(std::string_view body) {
    write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
          std::string{body});
  }

  // Returns when the client has closed, or the server is to end.
  void stay_silent() {
    std::array<char, 4096> piece{};
    while (wait_until_readable() && ::recv(fd_.get(), piece.data(), piece.size(), 0) > 0) {
    }
  }

 private:
  bool wait_until_readable() {
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (!stop_.stop_requested()) {
      if (::poll(&ready, 1, 20) == 1) return true;
    }
    return false;
  }

  UniqueFd fd_;
  std::stop_token stop_;
  std::string buffer_;
};

// A server on a free port of 127.0.0.1; each connection gets a thread of its own, and then ends.
class Server {
 public:
  explicit Server(std::function<void(Connection&)> serve) : serve_{std::move(serve)} {
    listener_ = UniqueFd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      throw std::runtime_error{"cannot listen on 127.0.0.1"};
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread{[this](const std::stop_token& stop) { accept_all(stop); }};
  }

  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string{path};
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all(const std::stop_token& stop) {
    std::vector<std::jthread> threads;
    pollfd ready{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    while (!stop.stop_requested()) {
      if (::poll(&ready, 1, 20) != 1) continue;
      UniqueFd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      ++connections_;
      threads.emplace_back([this, stop, owned = std::move(fd)]() mutable {
        Connection connection{std::move(owned), stop};
        serve_(connection);
      });
    }
  }

  std::function<void(Connection&)> serve_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread acceptor_;
};

Ticks::time_point in(Ticks::duration duration) { return Ticks::now() + duration; }

Result<HttpResponse> get(CurlTransport& transport, const std::string& url,
                         Ticks::duration patience = seconds{10}) {
  return transport.send({.url = url}, in(patience), {});
}

HttpRequest post(std::string url, std::string body) {
  return {.method = "POST", .url = std::move(url), .headers = {}, .body = std::move(body)};
}

TEST(CurlTransport, SendsMethodPathHeadersAndBodyAsGiven) {
  std::string seen;
  const Server server{[&](Connection& connection) {
    seen = connection.read_request();
    connection.answer("fine");
  }};
  CurlTransport transport;
  const auto response = transport.send(
      {.method = "PUT",
       .url = server.url("/a/../b%2Fc?x=%20"),
       .headers = {{.name = "x-one", .value = "1"}, {.name = "x-empty", .value = ""}},
       .body = std::string("b\0dy", 4)},
      in(seconds{10}), {});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "fine");
  EXPECT_THAT(seen, testing::StartsWith("PUT /a/../b%2Fc?x=%20 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nx-one: 1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nx-empty:\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(seen, testing::Not(HasSubstr("Expect")));
  EXPECT_TRUE(seen.ends_with(std::string("\r\n\r\nb\0dy", 8)));
}

TEST(CurlTransport, AnyStatusIsASuccess) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write(
        "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  }};
  CurlTransport transport;
  EXPECT_EQ(get(transport, server.url()).value().status, 301);  // and no redirect is followed
}

TEST(CurlTransport, LowersHeaderNamesAndTrimsValues) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n");
    connection.write(
        "HTTP/1.1 200 OK\r\nX-Amzn-RequestID:  abc \r\nX-Empty:\r\nX-Colon: a:b\r\nContent-Length: "
        "0\r\n\r\n");
  }};
  CurlTransport transport;
  const auto response = get(transport, server.url()).value();
  std::vector<std::string> lines;
  for (const auto& header : response.headers) lines.push_back(header.name + "=" + header.value);
  EXPECT_THAT(lines, testing::ElementsAre("x-amzn-requestid=abc", "x-empty=", "x-colon=a:b",
                                          "content-length=0"));
}

TEST(CurlTransport, HeadHasNoBodyToWaitFor) {
  std::string seen;
  const Server server{[&](Connection& connection) {
    seen = connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    connection.stay_silent();
  }};
  CurlTransport transport;
  const auto response = transport.send({.method = "HEAD", .url = server.url()}, in(seconds{5}), {});
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "");
  EXPECT_THAT(seen, testing::StartsWith("HEAD / HTTP/1.1"));
}

TEST(CurlTransport, KeepsConnectionsOpen) {
  const Server server{[](Connection& connection) {
    while (!connection.read_request().empty()) connection.answer("x");
  }};
  CurlTransport transport;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(get(transport, server.url()).has_value());
  EXPECT_EQ(server.connections(), 1);
}

TEST(CurlTransport, ServesManyThreads) {
  const Server server{[](Connection& connection) {
    for (auto request = connection.read_request(); !request.empty();
         request = connection.read_request()) {
      connection.answer(request.substr(request.find("\r\n\r\n") + 4));
    }
  }};
  CurlTransport transport;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const std::string body = std::to_string(i * 100 + k);
        EXPECT_EQ(transport.send(post(server.url(), body), in(seconds{10}), {}).value().body, body);
      }
    });
  }
}

TEST(CurlTransport, ARefusedConnectionHadNoEffect) {
  std::string url;
  {
    const Server gone{[](Connection&) {}};
    url = gone.url();
  }
  CurlTransport transport;
  const auto response = transport.send(post(url, "x"), in(seconds{10}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().effect, Effect::not_applied);
}

TEST(CurlTransport, AConnectionClosedWithoutAnAnswerMayHaveHadAnEffect) {
  const Server server{[](Connection& connection) { connection.read_request(); }};
  CurlTransport transport;
  const auto response =
      transport.send(post(server.url("/?X-Amz-Signature=secret"), "x"), in(seconds{10}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::unavailable);
  EXPECT_EQ(response.error().effect, Effect::unknown);
  EXPECT_THAT(response.error().message, testing::Not(HasSubstr("secret")));
}

// libcurl by itself would send the second request again on a new connection, and volumes would be
// made twice.
TEST(CurlTransport, SendsOnceEvenWhenAKeptConnectionEnds) {
  for (const std::string method : {"POST", "GET", "DELETE"}) {
    std::atomic<int> requests = 0;
    const Server server{[&](Connection& connection) {
      if (connection.read_request().empty()) return;
      ++requests;
      connection.answer("first");
      if (!connection.read_request().empty()) ++requests;  // acted on, and never answered
    }};
    CurlTransport transport;
    const HttpRequest request{
        .method = method, .url = server.url(), .headers = {}, .body = method == "POST" ? "x" : ""};
    ASSERT_TRUE(transport.send(request, in(seconds{10}), {}).has_value()) << method;
    const auto second = transport.send(request, in(seconds{10}), {});
    ASSERT_FALSE(second.has_value()) << method;
    EXPECT_EQ(second.error().code, Errc::unavailable) << method;
    EXPECT_EQ(second.error().effect, Effect::unknown) << method;
    EXPECT_EQ(requests, 2) << method;
  }
}

TEST(CurlTransport, SilenceEndsAtTheDeadline) {
  const Server server{[](Connection& connection) { connection.stay_silent(); }};
  CurlTransport transport;
  const auto began = Ticks::now();
  const auto response = transport.send(post(server.url(), "x"), in(milliseconds{300}), {});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(response.error().effect, Effect::unknown);
  EXPECT_LT(Ticks::now() - began, seconds{3});
}

TEST(CurlTransport, AnAnswerThatDripsEndsAtTheDeadline) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 100; ++i) {
      connection.write("x");
      std::this_thread::sleep_for(milliseconds{20});
    }
  }};
  CurlTransport transport;
  EXPECT_EQ(get(transport, server.url(), milliseconds{300}).error().code, Errc::deadline_exceeded);
}

TEST(CurlTransport, ADeadlineInThePastSendsNothing) {
  const Server server{[](Connection& connection) { connection.answer("x"); }};
  CurlTransport transport;
  const auto response = get(transport, server.url(), -seconds{1});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(response.error().effect, Effect::not_applied);
  EXPECT_EQ(server.connections(), 0);
}

TEST(CurlTransport, AStopCancels) {
  const Server server{[](Connection& connection) { connection.stay_silent(); }};
  CurlTransport transport;
  std::stop_source stop;
  const std::jthread stopper{[&] {
    std::this_thread::sleep_for(milliseconds{100});
    stop.request_stop();
  }};
  const auto began = Ticks::now();
  const auto response = transport.send(post(server.url(), "x"), in(seconds{30}), stop.get_token());
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::cancelled);
  EXPECT_EQ(response.error().effect, Effect::unknown);
  EXPECT_LT(Ticks::now() - began, seconds{3});
}

TEST(CurlTransport, GarbageIsCorrupt) {
  for (const std::string garbage :
       {"SSH-2.0-OpenSSH_9.2\r\n", "\x16\x03\x01\x02", "HTTP/9.9 what\r\n\r\n"}) {
    const Server server{[&](Connection& connection) {
      connection.read_request();
      connection.write(garbage);
    }};
    CurlTransport transport;
    const auto response = get(transport, server.url());
    ASSERT_FALSE(response.has_value()) << garbage;
    EXPECT_EQ(response.error().code, Errc::corrupt) << response.error().message;
    EXPECT_EQ(response.error().effect, Effect::unknown);
  }
}

TEST(CurlTransport, ABodyCutShortIsNoAnswer) {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    const Server server{[&](Connection& connection) {
      connection.read_request();
      connection.write(answer);
    }};
    CurlTransport transport;
    const auto response = transport.send(post(server.url(), "x"), in(seconds{10}), {});
    ASSERT_FALSE(response.has_value()) << answer;
    EXPECT_EQ(response.error().code, Errc::unavailable) << response.error().message;
    EXPECT_EQ(response.error().effect, Effect::unknown);
  }
}

TEST(CurlTransport, ABodyOverTheLimitIsRefused) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.answer(std::string(2000, 'x'));
  }};
  CurlTransport transport{{.response_limit = 1999}};
  const auto response = get(transport, server.url());
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, Errc::corrupt);
  EXPECT_THAT(response.error().message, HasSubstr("more than 1999 bytes"));
  CurlTransport roomier{{.response_limit = 2000}};
  EXPECT_EQ(get(roomier, server.url()).value().body.size(), 2000U);
}

// Header lines are held in memory as well.
TEST(CurlTransport, HeadersWithoutEndAreRefused) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; ++i) connection.write("X-Filler: " + std::string(1000, 'x') + "\r\n");
    connection.write("Content-Length: 0\r\n\r\n");
  }};
  CurlTransport transport{{.response_limit = 100'000}};
  EXPECT_EQ(get(transport, server.url()).error().code, Errc::corrupt);
}

TEST(CurlTransport, TakesOnlyHttp) {
  CurlTransport transport;
  for (const std::string url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "not a url", "http://", ""}) {
    const auto response = get(transport, url);
    ASSERT_FALSE(response.has_value()) << url;
    EXPECT_EQ(response.error().code, Errc::invalid_argument)
        << url << ": " << response.error().message;
    EXPECT_EQ(response.error().effect, Effect::not_applied);
  }
}

TEST(CurlTransport, ReachesThisMachineWithoutAProxy) {
  const Server server{[](Connection& connection) {
    connection.read_request();
    connection.answer("direct");
  }};
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);  // nobody listens there
  CurlTransport transport;
  const auto response = get(transport, server.url());
  const auto elsewhere = get(transport, "http://example.invalid/");
  ::unsetenv("http_proxy");
  EXPECT_EQ(response.value().body, "direct");
  EXPECT_THAT(elsewhere.error().message, HasSubstr("port 1"));  // the proxy was asked for that one
}

}  // namespace
}  // namespace runctl
