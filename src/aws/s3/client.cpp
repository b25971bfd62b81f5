#include "aws/s3/client.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include <fmt/format.h>

#include "aws/s3/customer_key.hpp"
#include "aws/service_error.hpp"
#include "aws/sigv4.hpp"
#include "aws/sigv4_canonical.hpp"
#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

constexpr std::string_view unsigned_body = "UNSIGNED-PAYLOAD";
constexpr std::string_view unsigned_with_trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

// A body up to this is read once and held until the call is over.
constexpr std::uint64_t held_body = (64U << 10U) - 1;

// Buckets share prefixes' limits with whoever else uses them: being told to slow down is no
// failure. Source: "Best practices design patterns: optimizing Amazon S3 performance".
constexpr int throttled_attempts = 8;

// One that knows another region may itself be out of date.
constexpr int most_redirects = 2;

// Source: "Authenticating requests: using query parameters" in the Amazon S3 API Reference.
constexpr std::chrono::seconds longest_life = std::chrono::days{7};

// S3's word for a refusal that has no body, as those of HEAD have none.
std::string code_by_status(int status) {
  switch (status) {
    case 301:
      return "PermanentRedirect";
    case 304:
      return "NotModified";
    case 307:
      return "TemporaryRedirect";
    case 400:
      return "BadRequest";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 412:
      return "PreconditionFailed";
    case 503:
      return "SlowDown";
    default:
      return {};
  }
}

std::string text_of(const HttpResponse& response, std::string_view name) {
  return std::string{find_header(response.headers, name).value_or("")};
}

// As in "s3://bucket/key"; what a terminal would obey is percent-encoded.
std::string shown(const RestRequest& request) {
  std::string out = fmt::format("s3://{}/", request.bucket);
  for (const char c : request.key) {
    const bool is_plain = (c < 0 || c >= ' ') && c != '\x7f';
    out += is_plain ? std::string(1, c) : percent_encode(std::string_view{&c, 1});
  }
  return out;
}

RestError refusal_of(const HttpResponse& response, const RestRequest& request) {
  RestError error = read_rest_error(response.body).value_or(RestError{});
  if (error.request_id.empty()) error.request_id = text_of(response, "x-amz-request-id");
  // Without a body, what is not S3 cannot be told from S3.
  if (error.code.empty() && response.body.empty()) {
    error.code = code_by_status(response.status);
    if (response.status == 404) error.message = fmt::format("there is no {}", shown(request));
    if (response.status == 403) error.message = fmt::format("access to {} denied", shown(request));
  }
  return error;
}

// What AWS, and older servers in its place, want of a document that changes much at once.
void add_checks(RestRequest& request) {
  const auto bytes = std::as_bytes(std::span{request.body});
  const CrcKind kind = CrcKind::crc64nvme;
  request.headers.push_back({.name = "content-md5", .value = base64(md5(request.body))});
  request.headers.push_back(
      {.name = std::string{checksum_header(kind)}, .value = crc_text(kind, crc(kind, bytes))});
}

// Where the bucket is, as far as a refusal says.
std::string region_told(const HttpResponse& response, const RestError& error) {
  for (const std::string& told : {text_of(response, "x-amz-bucket-region"), error.region,
                                  std::string{region_in_host("https://" + error.endpoint)},
                                  std::string{region_in_host(text_of(response, "location"))}}) {
    if (is_region_name(told)) return told;
  }
  return {};
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

// What is not checked here would change what the request means: a DELETE without a key is one of
// the bucket, and a line end in a value begins another header.
Result<void> check_request(const RestInfo& operation, const RestRequest& request) {
  const bool wants_bucket = operation.uri.contains("{Bucket}");
  const bool is_bucket = !request.bucket.empty() && request.bucket != "." && request.bucket != "..";
  if (wants_bucket && !is_bucket) {
    return fail(Errc::invalid_argument, fmt::format("not a bucket's name: '{}'", request.bucket));
  }
  if (operation.uri.contains("{Key+}") && request.key.empty()) {
    return fail(Errc::invalid_argument,
                fmt::format("no key is named in bucket '{}'", request.bucket));
  }
  for (const HttpHeader& header : request.headers) {
    const bool is_name = !header.name.empty() && std::ranges::all_of(header.name, [](char c) {
      return c > ' ' && c < '\x7f' && c != ':';
    });
    if (!is_name) {
      return fail(
          Errc::invalid_argument,
          "the name of a header, or of metadata, holds a blank, a colon or a character that "
          "is not of ASCII");
    }
    if (has_control_character(header.value)) {
      return fail(Errc::invalid_argument,
                  fmt::format("the value of {} holds a control character", header.name));
    }
  }
  return {};
}

// Operations that S3 begins to answer with 200 before it knows how they end.
// Source: "Response" of CopyObject and CompleteMultipartUpload in the Amazon S3 API Reference.
bool may_fail_late(const RestInfo& operation) {
  constexpr std::array<std::string_view, 3> names{"CompleteMultipartUpload", "CopyObject",
                                                  "UploadPartCopy"};
  return std::ranges::find(names, operation.name) != names.end();
}

template <class Message>
std::string& check_in(Message& message, CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return message.checksum_crc32;
    case CrcKind::crc32c:
      return message.checksum_crc32c;
    case CrcKind::crc64nvme:
      return message.checksum_crc64nvme;
  }
  std::unreachable();
}

// The kind to compute for an upload; nothing when the request has a check already, or wants none.
template <class Request>
Result<std::optional<CrcKind>> kind_to_compute(const Request& request,
                                               std::optional<CrcKind> configured) {
  const bool has_one = !request.checksum_crc32.empty() || !request.checksum_crc32c.empty() ||
                       !request.checksum_crc64nvme.empty() || !request.checksum_sha1.empty() ||
                       !request.checksum_sha256.empty();
  if (has_one) return std::nullopt;
  if (request.checksum_algorithm.empty()) return configured;
  const auto kind = checksum_kind(request.checksum_algorithm);
  if (kind) return kind;
  return fail(Errc::invalid_argument,
              fmt::format("{} is not computed here: name CRC64NVME, CRC32C or CRC32",
                          request.checksum_algorithm));
}

void announce_trailer(RestRequest& request, CrcKind kind, std::uint64_t size) {
  const auto encoding = std::ranges::find(request.headers, "content-encoding", &HttpHeader::name);
  if (encoding != request.headers.end()) {
    encoding->value = "aws-chunked," + encoding->value;
  } else {
    request.headers.push_back({.name = "content-encoding", .value = "aws-chunked"});
  }
  request.headers.push_back(
      {.name = "x-amz-decoded-content-length", .value = std::to_string(size)});
  request.headers.push_back({.name = "x-amz-trailer", .value = std::string{checksum_header(kind)}});
}

}  // namespace

// One attempt of a call: what it learnt besides its answer.
struct S3Client::Attempt {
  std::string region;      // in which it was made
  bool has_moved = false;  // the bucket is elsewhere, and it is known where
  bool is_damaged = false;
};

// The signing keys of one day and one set of credentials, by region.
class S3Client::Keys {
 public:
  std::string key(const std::shared_ptr<const Credentials>& signer, const Scope& scope,
                  Timestamp now) {
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::lock_guard lock{mutex_};
    if (signer_ != signer || day_ != day) keys_.clear();
    signer_ = signer;
    day_ = day;
    std::string& key = keys_[scope.region];
    if (key.empty()) key = signing_key_v4(signer->secret_access_key, scope, iso8601_basic(now));
    return key;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Credentials> signer_;
  std::chrono::sys_days day_;
  std::map<std::string, std::string, std::less<>> keys_;
};

struct S3Client::State {
  Renewal renewal;
  Keys keys;
  mutable std::shared_mutex mutex;
  std::map<std::string, std::string, std::less<>> regions;  // by bucket, guarded by mutex
};

S3Client::S3Client(HttpTransport& http, Clock& clock, Random& random, Log& log, S3Config config)
    : http_{http},
      clock_{clock},
      random_{random},
      log_{log},
      config_{std::move(config)},
      state_{new State{.renewal{clock, log, config_.credentials, config_.renew},
                       .keys{},
                       .mutex = {},
                       .regions = {}}} {}

S3Client::~S3Client() = default;

std::string S3Client::region_of(const std::string& bucket) const {
  const std::shared_lock lock{state_->mutex};
  const auto found = state_->regions.find(bucket);
  return found == state_->regions.end() ? config_.region : found->second;
}

std::string S3Client::url_in(std::string_view region, const RestRequest& request) const {
  return url_of({.endpoint = config_.endpoint,
                 .region = region,
                 .variant = config_.variant,
                 .addressing = config_.addressing},
                request);
}

// Whether nobody on the way can change a body: then it need not be part of the signature, which
// would mean to read it one more time.
bool S3Client::keeps_bodies_private(const RestRequest& request) const {
  const std::string url = url_in(config_.region, request);
  return url.starts_with("https://") || is_loopback(url);
}

// A key that was sent in the clear is a key that is lost. S3 refuses it then as well, too late.
// Source: "Using server-side encryption with customer-provided keys (SSE-C)" in the Amazon S3 User
// Guide: "consider any key that you erroneously send over HTTP to be compromised".
Result<void> S3Client::keep_keys_private(const RestRequest& request) const {
  if (!carries_customer_key(request) || keeps_bodies_private(request)) return {};
  auto refused = fail(Errc::invalid_argument,
                      fmt::format("a key of yours (SSE-C) is sent by https only, which {} is not",
                                  config_.endpoint));
  refused.error().hint = "Name an endpoint that begins with https://.";
  return refused;
}

Result<HttpRequest> S3Client::signed_request(const Message& message, std::string_view region,
                                             const CallOptions& options) {
  const RestRequest& rest = message.request;
  HttpRequest http{.method = rest.method,
                   .url = url_in(region, rest),
                   .headers = rest.headers,
                   .body = rest.body};
  http.headers.push_back({.name = "user-agent", .value = "runctl"});
  if (config_.requester_pays && !find_header(http.headers, "x-amz-request-payer")) {
    http.headers.push_back({.name = "x-amz-request-payer", .value = "requester"});
  }
  if (!message.payload.empty()) {
    http.headers.push_back({.name = "x-amz-content-sha256", .value = message.payload});
  }
  if (config_.unsigned_requests) return http;
  RUNCTL_TRY_LET(const auto signer, state_->renewal.current(options));
  const Scope scope{.region = std::string{region}, .service = "s3"};
  const Timestamp now = clock_.now();
  const std::string key = state_->keys.key(signer, scope, now);
  return sign_v4(std::move(http), *signer, scope, now, key);
}

Result<HttpResponse> S3Client::attempt(const RestInfo& operation, const Message& message,
                                       const CallOptions& options, Attempt& attempt) {
  const std::string& bucket = message.request.bucket;
  attempt.region = region_of(bucket);
  RUNCTL_TRY_LET(const HttpRequest request, signed_request(message, attempt.region, options));
  ++counters_.requests;
  RUNCTL_TRY_LET(HttpResponse response,
                 http_.stream(request, message.streams, options.deadline, options.stop));
  const bool is_good = response.status >= 200 && response.status < 300;
  if (is_good && message.checked != nullptr) {
    auto verified = message.checked->verify();
    attempt.is_damaged = !verified;
    RUNCTL_TRY(std::move(verified));
  }
  const bool is_late = is_good && may_fail_late(operation) && read_rest_error(response.body);
  if (is_good && !is_late) return response;

  RestError told = refusal_of(response, message.request);
  const std::string region = region_told(response, told);
  // A 403 too tells where a bucket is, of which nothing else may be known.
  if (!region.empty() && region != attempt.region && operation.name != "CreateBucket" &&
      !bucket.empty() && response.status < 404) {
    attempt.has_moved = true;
    const std::lock_guard lock{state_->mutex};
    state_->regions.insert_or_assign(bucket, region);
  }
  return std::unexpected{error_from({.http_status = is_late ? 500 : response.status,
                                     .code = std::move(told.code),
                                     .message = std::move(told.message),
                                     .request_id = std::move(told.request_id)})};
}

void S3Client::log_attempt(const RestInfo& operation, int number,
                           std::chrono::steady_clock::time_point started, const Error* error) {
  if (!log_.enabled(LogLevel::debug)) return;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.ticks() - started);
  const bool is_remote = error != nullptr && error->remote.has_value();
  std::string outcome = "ok";
  if (error != nullptr) outcome = is_remote ? error->remote->code : "no answer";
  log_.write(
      {.level = LogLevel::debug,
       .name = "aws.call",
       .fields = {{.name = "operation", .value = std::string{operation.name}},
                  {.name = "attempt", .value = std::to_string(number)},
                  {.name = "outcome", .value = std::move(outcome)},
                  {.name = "ms", .value = std::to_string(elapsed.count())},
                  {.name = "request_id", .value = is_remote ? error->remote->request_id : "-"}}});
}

Result<void> S3Client::perform(const RestInfo& operation, Message message,
                               const CallOptions& options, const ReadMembers& read) {
  RUNCTL_TRY(check_request(operation, message.request));
  RUNCTL_TRY(keep_keys_private(message.request));
  if (operation.needs_check) add_checks(message.request);
  message.streams.stall = config_.stall;
  const bool only_reads = operation.method == "GET" || operation.method == "HEAD";
  bool may_have_acted = false;
  int redirects = 0;
  int taken = 0;
  for (int number = 1;; ++number) {
    const auto started = clock_.ticks();
    Attempt made;
    auto result = attempt(operation, message, options, made);
    log_attempt(operation, number, started, result ? nullptr : &result.error());
    if (result) {
      quota_.give_back(taken == 0 ? 1 : taken);
      return read_rest_response(operation, *std::move(result), read);
    }
    Error& error = result.error();
    if (made.has_moved && redirects < most_redirects) {
      ++redirects;
      --number;  // no failure, and no wait
      continue;
    }
    const bool again = made.is_damaged || may_retry(error.code, error.effect, operation.idempotent);
    may_have_acted = may_have_acted || error.effect == Effect::unknown;
    const bool is_throttled = error.code == Errc::throttled;
    if (is_throttled) ++counters_.throttled;
    const int most = is_throttled && config_.retry.attempts > 1
                         ? std::max(config_.retry.attempts, throttled_attempts)
                         : config_.retry.attempts;
    taken = RetryQuota::retry_cost;
    const auto wake =
        clock_.ticks() + retry_delay(number, error.code, config_.retry, random_.next());
    if (number >= most || !again || wake >= options.deadline || !quota_.take(taken)) {
      if (may_have_acted && !only_reads) error.effect = Effect::unknown;
      return with_context(explain_customer_key(std::move(error), message.request),
                          fmt::format("calling {} for {}", operation.name, shown(message.request)));
    }
    ++counters_.retries;
    RUNCTL_TRY(clock_.sleep_until(wake, options.stop));
  }
}

Result<GetObjectOutput> S3Client::get(const GetObjectRequest& request, BodySink& sink,
                                      const CallOptions& options) {
  GetObjectRequest asked = request;
  const bool is_whole = request.range.empty() && !request.part_number;
  if (asked.checksum_mode.empty() && is_whole && config_.check_answers)
    asked.checksum_mode = "ENABLED";
  CheckedSink checked{sink};
  GetObjectOutput response;
  RUNCTL_TRY(perform(GetObject::info,
                     {.request = rest_request<GetObject>(asked),
                      .streams = {.sink = &checked},
                      .checked = config_.check_answers ? &checked : nullptr},
                     options, reading(response)));
  return response;
}

template <class Operation>
Result<typename Operation::Response> S3Client::upload(typename Operation::Request request,
                                                      BodySource& source,
                                                      const CallOptions& options) {
  RUNCTL_TRY_LET(const auto kind, kind_to_compute(request, config_.checksum));
  request.checksum_algorithm.clear();  // it would announce to a server what the check itself says
  Message message{.request = rest_request<Operation>(request)};
  const bool is_private = keeps_bodies_private(message.request);
  const bool is_held = source.size() <= held_body;
  const bool wants_trailer =
      config_.checksum_place == ChecksumPlace::trailer ||
      (config_.checksum_place == ChecksumPlace::automatic && config_.endpoint.empty());
  std::optional<TrailedSource> trailed;
  std::string sent;
  if (is_private) message.payload = unsigned_body;
  if (is_held) {
    RUNCTL_TRY_LET(message.request.body, read_all(source));
    if (kind) sent = crc_text(*kind, crc(*kind, std::as_bytes(std::span{message.request.body})));
  } else if (kind && is_private && wants_trailer) {
    message.streams.source = &trailed.emplace(source, *kind);
    message.payload = unsigned_with_trailer;
    announce_trailer(message.request, *kind, source.size());
  } else {
    message.streams.source = &source;
    if (kind) {
      RUNCTL_TRY_LET(const std::uint64_t value, crc_of(source, *kind));
      sent = crc_text(*kind, value);
    }
    if (!is_private && !config_.unsigned_requests) {
      RUNCTL_TRY_LET(const std::string hash, sha256_of(source));
      message.payload = hex(std::string_view{hash});
    }
  }
  if (!sent.empty()) {
    message.request.headers.push_back({.name = std::string{checksum_header(*kind)}, .value = sent});
  }
  typename Operation::Response response;
  RUNCTL_TRY(perform(Operation::info, std::move(message), options, reading(response)));
  if (!kind) return response;
  if (trailed) sent = crc_text(*kind, trailed->value());
  std::string& stored = check_in(response, *kind);
  if (!stored.empty() && stored != sent) {
    auto wrong =
        fail(Errc::corrupt, fmt::format("what S3 stored is not what was sent: its {} is {}, not {}",
                                        crc_name(*kind), stored, sent));
    wrong.error().effect = Effect::applied;
    return wrong;
  }
  stored = sent;
  return response;
}

Result<PutObjectOutput> S3Client::put(const PutObjectRequest& request, BodySource& source,
                                      const CallOptions& options) {
  return upload<PutObject>(request, source, options);
}

Result<UploadPartOutput> S3Client::upload_part(const UploadPartRequest& request, BodySource& source,
                                               const CallOptions& options) {
  return upload<UploadPart>(request, source, options);
}

Result<std::string> S3Client::presign_request(const RestRequest& request, std::chrono::seconds life,
                                              const CallOptions& options) {
  if (life < std::chrono::seconds{1} || life > longest_life) {
    return fail(Errc::invalid_argument,
                fmt::format("a presigned URL lives from 1 s to 7 days, not {} s", life.count()));
  }
  RUNCTL_TRY(keep_keys_private(request));
  const std::string region = region_of(request.bucket);
  const HttpRequest http{
      .method = request.method, .url = url_in(region, request), .headers = request.headers};
  if (config_.unsigned_requests) return http.url;
  RUNCTL_TRY_LET(const auto signer, state_->renewal.current(options));
  return presign_v4(http, *signer, {.region = region, .service = "s3"}, clock_.now(), life).url;
}

Result<S3Client::PresignedPost> S3Client::presign_post(const PostPermit& permit,
                                                       std::chrono::seconds life,
                                                       const CallOptions& options) {
  if (life < std::chrono::seconds{1} || life > longest_life) {
    return fail(Errc::invalid_argument,
                fmt::format("a form for uploads lives from 1 s to 7 days, not {} s", life.count()));
  }
  if (config_.unsigned_requests) {
    return fail(Errc::invalid_argument, "a form for uploads needs credentials to be signed with");
  }
  const std::string region = region_of(permit.bucket);
  RUNCTL_TRY_LET(const auto signer, state_->renewal.current(options));
  const Timestamp now = clock_.now();
  Timestamp expires = now + life;
  if (signer->expires) expires = std::min(expires, *signer->expires);
  return PresignedPost{.url = url_in(region, {.method = "POST", .bucket = permit.bucket}),
                       .fields = sign_post(permit, *signer, region, now, expires),
                       .expires = expires};
}

}  // namespace runctl::aws::s3
