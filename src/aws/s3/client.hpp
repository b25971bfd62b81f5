// Calls to S3: address, encode, sign, send, retry, decode; bodies of objects stream through.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/client.hpp"
#include "aws/codec_rest.hpp"
#include "aws/credentials.hpp"
#include "aws/endpoint.hpp"
#include "aws/s3/address.hpp"
#include "aws/s3/bodies.hpp"
#include "aws/s3/bucket.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/listing.hpp"
#include "aws/s3/multipart.hpp"
#include "aws/s3/object.hpp"
#include "aws/s3/post_policy.hpp"
#include "base/crc.hpp"
#include "base/result.hpp"
#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "io/log.hpp"
#include "io/random.hpp"

namespace runctl::aws::s3 {

// Where the check of an uploaded body is sent. In a header it must be known before the body, which
// is read twice; in a trailer behind the body (aws-chunked) it is read once, which servers other
// than AWS often do not know. `automatic`: a trailer at AWS, a header elsewhere.
enum class ChecksumPlace : std::uint8_t { automatic, header, trailer };

struct S3Config {
  std::string region;
  Credentials credentials;
  std::string endpoint = {};  // "" is AWS's own, in each bucket's region
  EndpointVariant variant = {};
  Addressing addressing = Addressing::automatic;
  ChecksumPlace checksum_place = ChecksumPlace::automatic;
  // What bodies are checked with when a request names none; nothing: they are not.
  std::optional<CrcKind> checksum = CrcKind::crc64nvme;
  // Whether what comes is compared with the check that S3 has of it.
  bool check_answers = true;
  bool unsigned_requests = false;  // public buckets, without credentials
  bool requester_pays = false;
  RetryPolicy retry = {};
  // How long nothing at all may move before an attempt is given up.
  std::chrono::milliseconds stall{30'000};
  // Gets new credentials when those end; empty where there are none to get.
  GetCredentials renew = {};
};

// What all calls of a client did, for summaries.
struct S3Counters {
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> retries = 0;
  std::atomic<std::uint64_t> throttled = 0;
};

// Thread safety: may be used from several threads at once. Borrows what it is built from.
class S3Client {
 public:
  S3Client(HttpTransport& http, Clock& clock, Random& random, Log& log, S3Config config);
  ~S3Client();
  S3Client(const S3Client&) = delete;
  S3Client& operator=(const S3Client&) = delete;
  S3Client(S3Client&&) = delete;
  S3Client& operator=(S3Client&&) = delete;

  // Calls an operation whose bodies are documents. Names in listings come as they are, whatever is
  // in them. Errors: those of aws/service_error.hpp when S3 refuses, its code in Error::remote;
  // unavailable, deadline_exceeded, cancelled from the transport; corrupt when the answer is none;
  // invalid_argument for what cannot be sent, a customer's key to other places than by https or on
  // this machine among it. An error after an attempt whose answer was lost has
  // effect `unknown`: a conditional put or CompleteMultipartUpload that is refused the second time
  // may have succeeded the first time.
  template <class Operation>
  [[nodiscard]] Result<typename Operation::Response> call(
      const typename Operation::Request& request, const CallOptions& options = {}) {
    typename Operation::Response response{};
    RestRequest rest = rest_request<Operation>(request);
    constexpr bool lists_names = requires { decode_names(response); };
    if constexpr (lists_names) {
      if (request.encoding_type.empty()) rest.query.emplace_back("encoding-type", "url");
    }
    RUNCTL_TRY(perform(Operation::info, {.request = std::move(rest)}, options, reading(response)));
    if constexpr (lists_names) {
      if (request.encoding_type.empty()) decode_names(response);
    }
    return response;
  }

  // Reads an object, or a range of it, into `sink`, which is told by begin() when an attempt starts
  // anew. Asks for the object's check, unless the request is for a range or says otherwise, and
  // compares it where it is one of the whole body that crc.hpp knows. Errors: as `call`; those of
  // the sink; corrupt when the body is not what was stored, also after retries.
  [[nodiscard]] Result<GetObjectOutput> get(const GetObjectRequest& request, BodySink& sink,
                                            const CallOptions& options = {});

  // Writes an object, or a part, from `source`. Its check is sent along: the request's, else one of
  // the configured kind that is computed here; the answer has it, also where the server is silent.
  // Errors: as `call`; those of the source; corrupt when the server says it stored something else.
  [[nodiscard]] Result<PutObjectOutput> put(const PutObjectRequest& request, BodySource& source,
                                            const CallOptions& options = {});
  [[nodiscard]] Result<UploadPartOutput> upload_part(const UploadPartRequest& request,
                                                     BodySource& source,
                                                     const CallOptions& options = {});

  // A URL that lets whoever has it make this one call. `life` is at most seven days, and ends with
  // temporary credentials. Errors: invalid_argument; those of getting credentials.
  template <class Operation>
  [[nodiscard]] Result<std::string> presign(const typename Operation::Request& request,
                                            std::chrono::seconds life,
                                            const CallOptions& options = {}) {
    return presign_request(write_rest_request(Operation::info, writing(request)), life, options);
  }

  // A form by which whoever has it can upload what `permit` says, by POST, until it expires: after
  // `life`, at most seven days, or with temporary credentials. Errors: as presign; invalid_argument
  // without credentials.
  struct PresignedPost {
    std::string url = {};
    std::vector<FormField> fields = {};
    Timestamp expires = {};
  };
  [[nodiscard]] Result<PresignedPost> presign_post(const PostPermit& permit,
                                                   std::chrono::seconds life,
                                                   const CallOptions& options = {});

  [[nodiscard]] const S3Config& config() const { return config_; }
  [[nodiscard]] const S3Counters& counters() const { return counters_; }

 private:
  // What a call sends, and where its answer's body goes.
  struct Message {
    RestRequest request;
    Streams streams = {};
    // "UNSIGNED-PAYLOAD" or the like, in place of the body's hash; empty: it is computed.
    std::string payload = {};
    CheckedSink* checked = nullptr;  // the sink, where the body is compared with its check
  };
  struct Attempt;
  class Keys;
  struct State;

  [[nodiscard]] Result<void> perform(const RestInfo& operation, Message message,
                                     const CallOptions& options, const ReadMembers& read);
  [[nodiscard]] Result<HttpResponse> attempt(const RestInfo& operation, const Message& message,
                                             const CallOptions& options, Attempt& attempt);
  [[nodiscard]] Result<HttpRequest> signed_request(const Message& message, std::string_view region,
                                                   const CallOptions& options);
  template <class Operation>
  [[nodiscard]] Result<typename Operation::Response> upload(typename Operation::Request request,
                                                            BodySource& source,
                                                            const CallOptions& options);
  [[nodiscard]] Result<std::string> presign_request(const RestRequest& request,
                                                    std::chrono::seconds life,
                                                    const CallOptions& options);
  [[nodiscard]] std::string region_of(const std::string& bucket) const;
  [[nodiscard]] std::string url_in(std::string_view region, const RestRequest& request) const;
  [[nodiscard]] bool keeps_bodies_private(const RestRequest& request) const;
  [[nodiscard]] Result<void> keep_keys_private(const RestRequest& request) const;
  void log_attempt(const RestInfo& operation, int number,
                   std::chrono::steady_clock::time_point started, const Error* error);

  HttpTransport& http_;
  Clock& clock_;
  Random& random_;
  Log& log_;
  S3Config config_;
  S3Counters counters_;
  RetryQuota quota_;
  std::unique_ptr<State> state_;
};

}  // namespace runctl::aws::s3
