// The emulator's front door: HTTP/1.1 on loopback.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/server/request_body.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

struct HttpServerOptions {
  std::uint16_t port = 0;  // 0 takes a free one
  std::size_t header_limit = std::size_t{64} << 10U;
  // Of bodies that are read whole. Streamed ones have no limit.
  std::size_t body_limit = std::size_t{8} << 20U;
  // For a whole request to come in and for the next bytes of an answer to be taken; also between
  // requests, and between the bytes of a streamed body.
  std::chrono::milliseconds idle_timeout{30'000};
};

// Called from several threads at once; may block.
using HttpHandler = std::function<Reply(const HttpRequest&)>;
// As HttpHandler, for requests whose bodies are not read before: `head` has none. What it leaves of
// the body is thrown away.
using StreamHandler = std::function<Reply(const HttpRequest& head, RequestBody& body)>;

struct HttpHandlers {
  HttpHandler whole;
  // Which requests `streamed` takes; none without it. Decided when the headers have come.
  std::function<bool(const HttpRequest& head)> is_streamed = {};
  StreamHandler streamed = {};
};

// Keep-alive, many clients at once, a thread each: what they send and take is as large as it likes,
// the memory for it is not. What is not HTTP is answered 400, headers over the limit 431, a body
// over the limit 413, and the connection closed. A client that waits to be asked for its body
// (Expect: 100-continue) is asked when the body is first read, and never for one that nobody
// wants. Thread safety: none of its own; the handlers run on its threads.
class HttpServer {
 public:
  // Listens on 127.0.0.1 and serves at once.
  // Errors: conflict (the port is taken), denied, internal.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options,
                                                                  HttpHandlers handlers);
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options,
                                                                  HttpHandler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  HttpServer(HttpServer&&) = delete;
  HttpServer& operator=(HttpServer&&) = delete;
  // Takes no more requests, answers those that are in, gives clients a second to send and take the
  // rest.
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace runctl::emulator
