#include "io/http_transport.hpp"

#include <utility>

namespace runctl {

Result<std::string> read_all(BodySource& source) {
  std::string body(source.size(), '\0');
  std::size_t done = 0;
  while (done < body.size()) {
    RUNCTL_TRY_LET(const std::size_t got,
                   source.read(done, std::as_writable_bytes(std::span{body}.subspan(done))));
    if (got == 0) {
      return fail(Errc::precondition, "the body that is sent ended before its size");
    }
    done += got;
  }
  return body;
}

Result<HttpResponse> HttpTransport::stream(const HttpRequest& request, const Streams& streams,
                                           std::chrono::steady_clock::time_point deadline,
                                           const std::stop_token& stop) {
  HttpRequest whole = request;
  if (streams.source != nullptr) {
    RUNCTL_TRY_LET(whole.body, read_all(*streams.source));
  }
  RUNCTL_TRY_LET(HttpResponse response, send(whole, deadline, stop));
  if (streams.sink == nullptr || response.status < 200 || response.status > 299) return response;
  const std::string body = std::exchange(response.body, {});
  RUNCTL_TRY(streams.sink->begin(response));
  if (!body.empty()) RUNCTL_TRY(streams.sink->write(std::as_bytes(std::span{body})));
  return response;
}

}  // namespace runctl
