// The emulated cloud without a network between.
#pragma once

#include "emulator/cloud.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator {

// Thread safety: as Cloud's.
class LoopbackTransport final : public HttpTransport {
 public:
  explicit LoopbackTransport(Cloud& cloud) : cloud_{cloud} {}

  // Errors: cancelled when `stop` was requested before; unavailable, effect unknown, when a fault
  // ends the connection.
  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request,
                                          std::chrono::steady_clock::time_point,
                                          const std::stop_token& stop) override {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped before the request was sent");
    Reply reply = cloud_.handle(request);
    if (reply.delivery == Delivery::whole) return std::move(reply.response);
    auto lost = fail(Errc::unavailable, "the connection ended before the answer did");
    lost.error().effect = Effect::unknown;
    return lost;
  }

 private:
  Cloud& cloud_;
};

}  // namespace runctl::emulator
