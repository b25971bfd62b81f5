// The real HTTP client against servers that misbehave in every way but by lying about their
// address.
#include "io/curl_transport.hpp"

#include <atomic>
#include <chrono>
#include <stdlib.h>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/loopback_server.hpp"

namespace runctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ticks = std::chrono::steady_clock;
using loopback::Connection;
using loopback::Server;
using testing::HasSubstr;

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
