#include "io/curl_transport.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
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

using Ticks = std::chrono::steady_clock;

// libcurl's own are 16 KiB and 64 KiB: with these an object takes a sixteenth and a quarter of the
// system calls, and they still lie in a core's second cache.
constexpr std::size_t receive_buffer = 256U << 10U;
constexpr long send_buffer = 256L << 10;

// A body up to this is sent in one piece with its head, by one system call: libcurl does so below
// 64 KiB (7.88 http.c, MAX_INITIAL_POST_SIZE).
constexpr std::uint64_t whole_body = (64U << 10) - 1;

// What libcurl's callbacks use while one exchange runs.
struct Exchange {
  HttpResponse response = {};
  int requests = 0;
  std::size_t limit = 0;  // of the body, and of all header lines together
  std::size_t header_bytes = 0;
  bool too_large = false;
  std::stop_token stop;

  Streams streams = {.stall = std::chrono::milliseconds{0}};  // 0: silence is no stall
  std::uint64_t sent = 0;                                     // of the source
  bool has_begun = false;                                     // the sink was told
  std::optional<Error> failure = {};                          // of the source or the sink
  std::vector<std::byte> pending = {};                        // of the body, on its way to the sink
  curl_off_t moved = 0;  // in both directions, when it was last looked at
  Ticks::time_point moved_at = Ticks::now();
  bool stalled = false;

  [[nodiscard]] bool goes_to_sink() const {
    return streams.sink != nullptr && response.status >= 200 && response.status <= 299;
  }
};

// Whether to go on; if not, the error is kept for the caller.
bool keep(Exchange& exchange, Result<void> result) {
  if (result) return true;
  exchange.failure = std::move(result).error();
  return false;
}

bool tell_sink(Exchange& exchange) {
  if (exchange.has_begun) return true;
  exchange.has_begun = true;
  return keep(exchange, exchange.streams.sink->begin(exchange.response));
}

bool write_pending(Exchange& exchange) {
  if (exchange.pending.empty()) return true;
  const bool took = keep(exchange, exchange.streams.sink->write(exchange.pending));
  exchange.pending.clear();
  return took;
}

// libcurl cuts what it received into pieces of CURL_MAX_WRITE_SIZE. They are put together again: a
// file takes the whole in half the time of its pieces. A smaller piece is the last of what was
// received, and does not wait.
bool to_sink(Exchange& exchange, std::span<const std::byte> bytes) {
  if (!tell_sink(exchange)) return false;
  const bool is_last = bytes.size() < CURL_MAX_WRITE_SIZE;
  if (is_last && exchange.pending.empty()) {
    return keep(exchange, exchange.streams.sink->write(bytes));
  }
  if (exchange.pending.capacity() == 0) exchange.pending.reserve(receive_buffer);
  exchange.pending.insert(exchange.pending.end(), bytes.begin(), bytes.end());
  const bool is_full = exchange.pending.size() + CURL_MAX_WRITE_SIZE > receive_buffer;
  return (!is_last && !is_full) || write_pending(exchange);
}

Result<std::size_t> next_piece(Exchange& exchange, std::span<std::byte> into) {
  BodySource& source = *exchange.streams.source;
  const std::uint64_t left = source.size() - exchange.sent;
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left)));
  if (into.empty()) return 0;
  RUNCTL_TRY_LET(const std::size_t got, source.read(exchange.sent, into));
  if (got == 0) {
    return fail(Errc::precondition, fmt::format("what was being sent ended {} bytes early", left));
  }
  return got;
}

// libcurl asks for the next piece of the request's body.
std::size_t on_read(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  auto got = next_piece(exchange, std::as_writable_bytes(std::span{data, size}));
  if (!got) {
    exchange.failure = std::move(got).error();
    return CURL_READFUNC_ABORT;
  }
  exchange.sent += *got;
  return *got;
}

// libcurl wants to send a body again on a new connection; on_request then refuses to.
int on_seek(void* user, curl_off_t offset, int) {
  static_cast<Exchange*>(user)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

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
  if (exchange.goes_to_sink()) {
    return to_sink(exchange, std::as_bytes(std::span{data, size})) ? size : CURL_WRITEFUNC_ERROR;
  }
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
    const std::string_view status = line.substr(std::min(line.find(' '), line.size() - 1) + 1);
    exchange.response.status = 0;
    std::from_chars(status.begin(), status.end(), exchange.response.status);
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  exchange.response.headers.push_back({.name = lower(trim(line.substr(0, colon))),
                                       .value = std::string{trim(line.substr(colon + 1))}});
  return size;
}

// Called after something moved, and once a second when nothing does. Time that the source or the
// sink takes is no silence: when they have had it, more has moved.
int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.stop.stop_requested()) return 1;
  if (exchange.streams.stall.count() == 0) return 0;
  const auto now = Ticks::now();
  if (received + sent != exchange.moved) {
    exchange.moved = received + sent;
    exchange.moved_at = now;
  }
  exchange.stalled = now - exchange.moved_at > exchange.streams.stall;
  return exchange.stalled ? 1 : 0;
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
    bool has_type = false;
    std::string line;
    for (const HttpHeader& header : headers) {
      // "Name;" is libcurl's way to send a header with an empty value.
      line = header.name;
      line += header.value.empty() ? ";" : ": ";
      line += header.value;
      list = curl.slist_append(list, line.c_str());
      has_type = has_type || header.name == "content-type";
    }
    // Without one it would say that every body is a form.
    if (!has_type) list = curl.slist_append(list, "content-type:");
    list = curl.slist_append(list, "expect:");  // no 100-continue round trip for a few kilobytes
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  HeaderList(HeaderList&&) = delete;
  HeaderList& operator=(HeaderList&&) = delete;
  ~HeaderList() { curl.slist_free_all(list); }
};

void set_body(const CurlLibrary& curl, CURL* handle, const HttpRequest& request,
              Exchange& exchange) {
  const auto set = curl.easy_setopt;
  if (exchange.streams.source != nullptr) {
    set(handle, CURLOPT_UPLOAD, 1L);
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(handle, CURLOPT_READFUNCTION, on_read);
    set(handle, CURLOPT_READDATA, &exchange);
    set(handle, CURLOPT_SEEKFUNCTION, on_seek);
    set(handle, CURLOPT_SEEKDATA, &exchange);
    set(handle, CURLOPT_UPLOAD_BUFFERSIZE, send_buffer);
    set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.streams.source->size()));
  } else if (request.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(handle, CURLOPT_POSTFIELDS, request.body.data());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (exchange.streams.sink != nullptr) {
    set(handle, CURLOPT_BUFFERSIZE, static_cast<long>(receive_buffer));
  }
}

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
  set_body(curl, handle, request, exchange);
}

// How long an exchange and its connection may take; 0 is for ever, which more than 24 days are to
// libcurl.
void set_times(const CurlLibrary& curl, CURL* handle, std::chrono::milliseconds left,
               std::chrono::milliseconds connect) {
  const bool is_bounded = left.count() <= INT_MAX;
  curl.easy_setopt(handle, CURLOPT_TIMEOUT_MS, is_bounded ? static_cast<long>(left.count()) : 0L);
  curl.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(left, connect).count()));
}

Error to_error(CURLcode code, const Exchange& exchange, const HttpRequest& request,
               std::string_view detail, bool sent) {
  Error error;
  error.effect = sent ? Effect::unknown : Effect::not_applied;
  const std::string where = authority(request.url);
  if (exchange.too_large) {
    error.code = Errc::corrupt;
    error.message = fmt::format("{} sent more than {} bytes", where, exchange.limit);
  } else if (exchange.stalled) {
    error.code = Errc::unavailable;
    error.message = fmt::format("nothing moved for {} ms while talking to {}",
                                exchange.streams.stall.count(), where);
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

Result<HttpResponse> CurlTransport::send(const HttpRequest& request, Ticks::time_point deadline,
                                         const std::stop_token& stop) {
  return exchange(request, {.stall = std::chrono::milliseconds{0}}, deadline, stop);
}

Result<HttpResponse> CurlTransport::stream(const HttpRequest& request, const Streams& streams,
                                           Ticks::time_point deadline,
                                           const std::stop_token& stop) {
  if (streams.source == nullptr || streams.source->size() > whole_body) {
    return exchange(request, streams, deadline, stop);
  }
  HttpRequest whole = request;
  RUNCTL_TRY_LET(whole.body, read_all(*streams.source));
  return exchange(whole, {.sink = streams.sink, .stall = streams.stall}, deadline, stop);
}

Result<HttpResponse> CurlTransport::exchange(const HttpRequest& request, const Streams& streams,
                                             Ticks::time_point deadline,
                                             const std::stop_token& stop) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Ticks::now());
  if (left.count() <= 0) {
    return fail(Errc::deadline_exceeded,
                fmt::format("no time was left to ask {}", authority(request.url)));
  }
  RUNCTL_TRY_LET(Pool* const pool, this->pool());
  const CurlLibrary& curl = pool->curl;
  CURL* const handle = pool->take();
  if (handle == nullptr) return fail(Errc::internal, "libcurl gave no handle");

  Exchange exchange{.limit = options_.response_limit, .stop = stop, .streams = streams};
  const HeaderList headers{curl, request.headers};
  std::array<char, CURL_ERROR_SIZE> detail{};
  configure(curl, handle, request, headers, exchange);
  if (!options_.ca_bundle.empty()) {
    curl.easy_setopt(handle, CURLOPT_CAINFO, options_.ca_bundle.c_str());
  }
  curl.easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
  set_times(curl, handle, left, options_.connect_timeout);
  const CURLcode code = curl.easy_perform(handle);

  long request_bytes = 0;
  curl.easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &request_bytes);
  pool->give_back(handle);
  if (exchange.failure) return std::unexpected{*std::move(exchange.failure)};
  if (code != CURLE_OK) {
    const std::string_view said = detail.front() != '\0' ? detail.data() : curl.easy_strerror(code);
    return std::unexpected{to_error(code, exchange, request, said, request_bytes > 0)};
  }
  if (exchange.goes_to_sink() && !(tell_sink(exchange) && write_pending(exchange))) {
    return std::unexpected{*std::move(exchange.failure)};
  }
  return std::move(exchange.response);
}

}  // namespace runctl
