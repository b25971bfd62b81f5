// One HTTP exchange. Everything above this line of the program can be tested without a network.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl {

struct HttpHeader {
  std::string name;  // lower case
  std::string value;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};  // absolute, already percent-encoded
  std::vector<HttpHeader> headers = {};
  std::string body = {};
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers = {};
  std::string body = {};
};

// What a request's body is read from. It is read from the front to the end, and again from 0 when
// the request is sent anew. Thread safety: used by one thread at a time.
class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  BodySource(BodySource&&) = delete;
  BodySource& operator=(BodySource&&) = delete;
  virtual ~BodySource() = default;

  // In bytes; the same at every call.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `into` from `offset` on; fewer bytes than asked for only at the end. Blocks as long as it
  // likes: the time does not count as a stall.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset,
                                                 std::span<std::byte> into) = 0;
};

// Where the body of a 2xx answer goes; the body of any other answer is in HttpResponse::body.
// Thread safety: used by one thread at a time.
class BodySink {
 public:
  BodySink() = default;
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;
  BodySink(BodySink&&) = delete;
  BodySink& operator=(BodySink&&) = delete;
  virtual ~BodySink() = default;

  // Once an answer, before its first byte, and also when its body is empty. What an earlier answer
  // wrote is void: the request has been sent again.
  [[nodiscard]] virtual Result<void> begin(const HttpResponse& head) = 0;
  // The next bytes of the body, which are gone when it returns. Blocks as long as it likes.
  [[nodiscard]] virtual Result<void> write(std::span<const std::byte> bytes) = 0;
};

struct Streams {
  BodySource* source = nullptr;  // nullptr: the request's own body
  BodySink* sink = nullptr;      // nullptr: HttpResponse::body
  // How long nothing at all may move in either direction.
  std::chrono::milliseconds stall{30'000};
};

// The whole of a source in memory. Errors: the source's own; precondition when it ends early.
[[nodiscard]] Result<std::string> read_all(BodySource& source);

class HttpTransport {
 public:
  HttpTransport() = default;
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;
  HttpTransport(HttpTransport&&) = delete;
  HttpTransport& operator=(HttpTransport&&) = delete;
  virtual ~HttpTransport() = default;

  // Sends `request` once: no retry, no redirect, no signing. Any status is a success of the
  // transport; judging it is the caller's business.
  // Errors: unavailable (effect `unknown` once any byte was sent), deadline_exceeded, cancelled.
  // Thread safety: may be called from several threads at once.
  [[nodiscard]] virtual Result<HttpResponse> send(const HttpRequest& request,
                                                  std::chrono::steady_clock::time_point deadline,
                                                  const std::stop_token& stop) = 0;

  // As `send`, with bodies of any size in bounded memory. Errors of the source and the sink end the
  // exchange and come back as they are; a stall is `unavailable`.
  // This one holds both bodies in memory and knows no stall: enough for a fake that has `send`.
  [[nodiscard]] virtual Result<HttpResponse> stream(const HttpRequest& request,
                                                    const Streams& streams,
                                                    std::chrono::steady_clock::time_point deadline,
                                                    const std::stop_token& stop);
};

}  // namespace runctl
