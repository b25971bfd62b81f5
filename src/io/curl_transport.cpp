#include "io/curl_transport.hpp"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/curl_library.hpp"

namespace runctl {

// Idle handles, each of which keeps its connection open.
struct CurlTransport::Pool {
  CurlLibrary curl;
  std::mutex mutex;
  std::vector<CURL*> idle;

  explicit Pool(const CurlLibrary& library) : curl{library} {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  Pool(Pool&&) = delete;
  Pool& operator=(Pool&&) = delete;
  ~Pool() {
    for (CURL* handle : idle) curl.easy_cleanup(handle);
  }

  CURL* take() {
    const std::lock_guard lock{mutex};
    if (idle.empty()) return curl.easy_init();
    CURL* handle = idle.back();
    idle.pop_back();
    return handle;
  }

  void give_back(CURL* handle) {
    curl.easy_reset(handle);
    const std::lock_guard lock{mutex};
    idle.push_back(handle);
  }
};

namespace {

// What libcurl's callbacks use while one exchange runs.
struct Exchange {
  HttpResponse response;
  int requests = 0;
  std::size_t limit = 0;  // of the body, and of all header lines together
  std::size_t header_bytes = 0;
  bool too_large = false;
  std::stop_token stop;
};

// libcurl sends a request again, without a word, when a kept connection ends before the first byte
// of an answer. The server may have acted by then, so whether to ask once more is not for libcurl
// to decide.
int on_request(void* user, char*, char*, int, int) {
  auto& exchange = *static_cast<Exchange*>(user);
  ++exchange.requests;
  return exchange.requests == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.response.body.size() + size > exchange.limit) {
    exchange.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  exchange.response.body.append(data, size);
  return size;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.header_bytes += size;
  if (exchange.header_bytes > exchange.limit) {
    exchange.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  const std::string_view line = trim({data, size});
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();  // what came before was an interim answer (100 Continue)
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  exchange.response.headers.push_back({.name = lower(trim(line.substr(0, colon))),
                                       .value = std::string{trim(line.substr(colon + 1))}});
  return size;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->stop.stop_requested() ? 1 : 0;
}

// The host of a URL, for messages; a URL may carry a signature, so it is never shown whole.
std::string authority(std::string_view url) {
  const auto start = url.find("://");
  if (start == std::string_view::npos) return std::string{url.substr(0, url.find('?'))};
  return std::string{url.substr(0, url.find_first_of("/?", start + 3))};
}

// Loopback, and the addresses where a rented machine asks for its own metadata and credentials: a
// proxy from the environment stands elsewhere, and from there these names mean something else.
// Source:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
bool is_on_this_machine(std::string_view authority) {
  const auto start = authority.find("://");
  std::string_view host = authority.substr(start == std::string_view::npos ? 0 : start + 3);
  host = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "[::1]" || host.starts_with("169.254.") || host == "[fd00:ec2::254]";
}

struct HeaderList {
  const CurlLibrary& curl;
  curl_slist* list = nullptr;
  HeaderList(const CurlLibrary& library, const std::vector<HttpHeader>& headers) : curl{library} {
    for (const HttpHeader& header : headers) {
      // "Name;" is libcurl's way to send a header with an empty value.
      const std::string line =
          header.value.empty() ? header.name + ';' : header.name + ": " + header.value;
      list = curl.slist_append(list, line.c_str());
    }
    list = curl.slist_append(list, "expect:");  // no 100-continue round trip for a few kilobytes
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  HeaderList(HeaderList&&) = delete;
  HeaderList& operator=(HeaderList&&) = delete;
  ~HeaderList() { curl.slist_free_all(list); }
};

void configure(const CurlLibrary& curl, CURL* handle, const HttpRequest& request,
               const HeaderList& headers, Exchange& exchange) {
  const auto set = curl.easy_setopt;
  set(handle, CURLOPT_URL, request.url.c_str());
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_HTTPHEADER, headers.list);
  set(handle, CURLOPT_WRITEFUNCTION, on_body);
  set(handle, CURLOPT_WRITEDATA, &exchange);
  set(handle, CURLOPT_HEADERFUNCTION, on_header);
  set(handle, CURLOPT_HEADERDATA, &exchange);
  set(handle, CURLOPT_PREREQFUNCTION, on_request);
  set(handle, CURLOPT_PREREQDATA, &exchange);
  set(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  set(handle, CURLOPT_XFERINFODATA, &exchange);
  set(handle, CURLOPT_NOPROGRESS, 0L);
  if (is_on_this_machine(authority(request.url))) set(handle, CURLOPT_PROXY, "");
  if (request.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(handle, CURLOPT_POSTFIELDS, request.body.data());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
}

Error to_error(CURLcode code, const Exchange& exchange, const HttpRequest& request,
               std::string_view detail, bool sent) {
  Error error;
  error.effect = sent ? Effect::unknown : Effect::not_applied;
  const std::string where = authority(request.url);
  if (exchange.too_large) {
    error.code = Errc::corrupt;
    error.message = fmt::format("{} sent more than {} bytes", where, exchange.limit);
  } else if (exchange.requests > 1) {
    error.code = Errc::unavailable;
    error.effect = Effect::unknown;
    error.message = fmt::format("{} closed the connection without an answer", where);
  } else if (code == CURLE_ABORTED_BY_CALLBACK) {
    error.code = Errc::cancelled;
    error.message = fmt::format("stopped while talking to {}", where);
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    error.code = Errc::deadline_exceeded;
    error.message = fmt::format("{} did not answer in time", where);
  } else {
    const bool malformed = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    const bool garbage = code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL;
    error.code = Errc::unavailable;
    if (malformed) error.code = Errc::invalid_argument;
    if (garbage && sent) error.code = Errc::corrupt;
    error.message = fmt::format("cannot talk to {}: {}", where, detail);
  }
  return error;
}

}  // namespace

CurlTransport::CurlTransport(CurlOptions options) : options_{std::move(options)} {}

CurlTransport::~CurlTransport() = default;

Result<CurlTransport::Pool*> CurlTransport::pool() {
  const std::lock_guard lock{loading_};
  if (!pool_) {
    RUNCTL_TRY_LET(const CurlLibrary curl, load_curl());
    pool_ = std::make_unique<Pool>(curl);
  }
  return pool_.get();
}

Result<HttpResponse> CurlTransport::send(const HttpRequest& request,
                                         std::chrono::steady_clock::time_point deadline,
                                         const std::stop_token& stop) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) {
    return fail(Errc::deadline_exceeded,
                fmt::format("no time was left to ask {}", authority(request.url)));
  }
  RUNCTL_TRY_LET(Pool* const pool, this->pool());
  const CurlLibrary& curl = pool->curl;
  CURL* const handle = pool->take();
  if (handle == nullptr) return fail(Errc::internal, "libcurl gave no handle");

  Exchange exchange{.response = {}, .limit = options_.response_limit, .stop = stop};
  const HeaderList headers{curl, request.headers};
  std::string detail(CURL_ERROR_SIZE, '\0');
  configure(curl, handle, request, headers, exchange);
  if (!options_.ca_bundle.empty()) {
    curl.easy_setopt(handle, CURLOPT_CAINFO, options_.ca_bundle.c_str());
  }
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  curl.easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(left, options_.connect_timeout).count()));
  const CURLcode code = curl.easy_perform(handle);

  long status = 0;
  long request_bytes = 0;
  curl.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl.easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &request_bytes);
  pool->give_back(handle);
  if (code != CURLE_OK) {
    const std::string_view said =
        detail.front() != '\0' ? detail.c_str() : curl.easy_strerror(code);
    return std::unexpected{to_error(code, exchange, request, said, request_bytes > 0)};
  }
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace runctl
