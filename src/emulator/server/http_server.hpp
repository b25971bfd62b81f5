// The emulator's front door: HTTP/1.1 on loopback.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

struct HttpServerOptions {
  std::uint16_t port = 0;  // 0 takes a free one
  std::size_t header_limit = std::size_t{64} << 10U;
  std::size_t body_limit = std::size_t{8} << 20U;
  // For a whole request to come in and for an answer to be taken; also between requests.
  std::chrono::milliseconds idle_timeout{30'000};
};

// Called from several threads at once; may block.
using HttpHandler = std::function<Reply(const HttpRequest&)>;

// Keep-alive, many clients at once. What is not HTTP is answered 400, headers over the limit 431, a
// body over the limit 413, and the connection closed. Thread safety: none of its own; the handler
// runs on its threads.
class HttpServer {
 public:
  // Listens on 127.0.0.1 and serves at once.
  // Errors: conflict (the port is taken), denied, internal.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options,
                                                                  HttpHandler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  HttpServer(HttpServer&&) = delete;
  HttpServer& operator=(HttpServer&&) = delete;
  // Takes no more requests, answers those that are in, gives clients a second to take the answers.
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace runctl::emulator
