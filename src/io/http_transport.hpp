// One HTTP exchange. Everything above this line of the program can be tested without a network.
#pragma once

#include <chrono>
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
};

}  // namespace runctl
