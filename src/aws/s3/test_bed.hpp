// For tests: an S3 that is said, answer by answer, and bodies in memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/s3/client.hpp"
#include "aws/sigv4.hpp"
#include "io/fake_clock.hpp"

namespace runctl::aws::s3 {

class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string text) : text_{std::move(text)} {}
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    const std::size_t count = std::min<std::size_t>(into.size(), text_.size() - offset);
    std::ranges::copy(std::as_bytes(std::span{text_}).subspan(offset, count), into.begin());
    bytes_read += count;
    return count;
  }
  std::size_t bytes_read = 0;

 private:
  std::string text_;
};

class TextSink final : public BodySink {
 public:
  Result<void> begin(const HttpResponse&) override {
    ++begins;
    text.clear();
    return {};
  }
  Result<void> write(std::span<const std::byte> piece) override {
    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  }
  int begins = 0;
  std::string text;
};

// Answers the n-th request (from 1) with what a test says, and remembers all. Each must be signed
// with the bed's credentials, unless `is_open`.
class FakeS3 final : public HttpTransport {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&, int)>;
  explicit FakeS3(Answer answer) : answer_{std::move(answer)} {}

  Result<HttpResponse> send(const HttpRequest& request, std::chrono::steady_clock::time_point,
                            const std::stop_token&) override {
    requests.push_back(request);
    if (!is_open) {
      const auto identity = verify_v4(request, now, [](std::string_view id) {
        return id == "AKID" ? std::optional{Secret{"secret"}} : std::nullopt;
      });
      if (!identity) {
        return HttpResponse{.status = 403,
                            .body = write_rest_error({.code = "SignatureDoesNotMatch",
                                                      .message = identity.error().detail})};
      }
      regions.push_back(identity->scope.region);
    }
    return answer_(request, static_cast<int>(requests.size()));
  }

  std::vector<HttpRequest> requests;
  std::vector<std::string> regions;  // of the signatures
  Timestamp now;
  bool is_open = false;

 private:
  Answer answer_;
};

struct Bed {
  FakeClock clock;
  SeededRandom random{1};
  NoLog log;
  FakeS3 http;
  S3Config config{.region = "us-east-1",
                  .credentials = {.access_key_id = "AKID", .secret_access_key = Secret{"secret"}}};

  explicit Bed(FakeS3::Answer answer) : http{std::move(answer)} { http.now = clock.now(); }
  [[nodiscard]] S3Client client() { return {http, clock, random, log, config}; }
  [[nodiscard]] std::size_t sent() const { return http.requests.size(); }
};

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  return std::string{find_header(request.headers, name).value_or("")};
}

inline HttpResponse ok(std::string body = {}, std::vector<HttpHeader> headers = {}) {
  return {.status = 200, .headers = std::move(headers), .body = std::move(body)};
}

inline HttpResponse refusal(int status, std::string code, std::vector<HttpHeader> headers = {}) {
  return {.status = status,
          .headers = std::move(headers),
          .body = write_rest_error({.code = std::move(code), .message = "m"})};
}

}  // namespace runctl::aws::s3
