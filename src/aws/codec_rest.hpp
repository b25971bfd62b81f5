// Requests and answers of the REST protocol with XML bodies, which S3 speaks, over described
// shapes. Bodies of objects are not in it: they stream beside.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/codec.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"
#include "base/result.hpp"
#include "io/http_transport.hpp"

namespace runctl::aws {

// What a call of S3 is, apart from its members. Source: "http" in the service's model.
struct RestInfo {
  std::string_view name;
  std::string_view method;
  std::string_view uri;  // "/{Bucket}/{Key+}?uploads": what is in braces comes from members
  // Of the answer's document, where its members are elements; the model does not have it. Source:
  // "Response Syntax" of each operation in the Amazon S3 API Reference.
  std::string_view root = {};
  // To put, to remove and to read twice is as once: S3 has whole objects, and the last one wins.
  Idempotent idempotent = Idempotent::yes;
  int status = 200;          // of an answer that is not an error
  bool needs_check = false;  // of its document, in a header ("requestChecksumRequired")
};

// A request before it has a host. Nothing in it is percent-encoded.
struct RestRequest {
  std::string method = {};
  std::string bucket = {};
  std::string key = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  std::vector<HttpHeader> headers = {};  // names in lower case
  std::string body = {};                 // XML, or empty
};

[[nodiscard]] RestRequest write_rest_request(const RestInfo& operation, const WriteMembers& write);

// Reads a request as the service would; query parameters and headers that are not described are
// passed over, as S3 does. Errors: invalid_argument, with S3's code in `remote`: MalformedXML,
// InvalidArgument for a value that is not of its type.
[[nodiscard]] Result<void> read_rest_request(const RestInfo& operation, const RestRequest& request,
                                             const ReadMembers& read);

// Status, headers and document of an answer.
[[nodiscard]] HttpResponse write_rest_response(const RestInfo& operation,
                                               const WriteMembers& write);

// Errors: corrupt for a body that is not an answer of this operation. Members that are not
// described are passed over. That a 200 may carry an error is the caller's to see first
// (RestError).
[[nodiscard]] Result<void> read_rest_response(const RestInfo& operation, HttpResponse response,
                                              const ReadMembers& read);

// An error as S3 words it. Source: "Error responses" in the Amazon S3 API Reference.
struct RestError {
  std::string code = {};
  std::string message = {};
  std::string resource = {};
  std::string request_id = {};
  std::string host_id = {};
  std::string region = {};    // AuthorizationHeaderMalformed: the bucket's
  std::string endpoint = {};  // PermanentRedirect: the host that has the bucket
};

[[nodiscard]] std::string write_rest_error(const RestError& error);
// Nothing when the body's root is not <Error>.
[[nodiscard]] std::optional<RestError> read_rest_error(std::string_view body);

// Headers in the order in which they came; the first of that name, nothing when there is none.
// `name` in any case.
[[nodiscard]] std::optional<std::string_view> find_header(const std::vector<HttpHeader>& headers,
                                                          std::string_view name);

// "Sun, 06 Nov 1994 08:49:37 GMT", the form of times in headers, and its reverse, which takes
// nothing else. Source: RFC 9110, 5.6.7.
[[nodiscard]] std::string http_date(Timestamp time);
[[nodiscard]] Result<Timestamp> parse_http_date(std::string_view text);

template <class Operation>
[[nodiscard]] RestRequest rest_request(const typename Operation::Request& request) {
  return write_rest_request(Operation::info, writing(request));
}

}  // namespace runctl::aws
