// HttpTransport over libcurl: keep-alive, TLS that is always verified, proxies from the
// environment.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "io/http_transport.hpp"

namespace runctl {

struct CurlOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  // A response body above this is refused as corrupt: a control-plane answer is never that large.
  std::size_t response_limit = std::size_t{64} << 20U;
  // PEM file of the certificate authorities to believe, in place of the system's; "" is the
  // system's.
  std::string ca_bundle = {};
};

// Thread safety: may be used from several threads at once; each call takes a connection of its own
// from a shared pool.
class CurlTransport final : public HttpTransport {
 public:
  explicit CurlTransport(CurlOptions options = {});
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;
  CurlTransport(CurlTransport&&) = delete;
  CurlTransport& operator=(CurlTransport&&) = delete;
  ~CurlTransport() override;

  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request,
                                          std::chrono::steady_clock::time_point deadline,
                                          const std::stop_token& stop) override;

  // Memory: 512 KiB of what comes, 256 KiB of what goes. A source of less than 64 KiB is read
  // before anything is sent.
  [[nodiscard]] Result<HttpResponse> stream(const HttpRequest& request, const Streams& streams,
                                            std::chrono::steady_clock::time_point deadline,
                                            const std::stop_token& stop) override;

 private:
  struct Pool;
  [[nodiscard]] Result<HttpResponse> exchange(const HttpRequest& request, const Streams& streams,
                                              std::chrono::steady_clock::time_point deadline,
                                              const std::stop_token& stop);
  [[nodiscard]] Result<Pool*> pool();

  CurlOptions options_;
  std::mutex loading_;
  std::unique_ptr<Pool> pool_;  // made at the first exchange: loading libcurl takes milliseconds
};

}  // namespace runctl
