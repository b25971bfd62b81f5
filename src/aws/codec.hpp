// Requests and answers as bytes: the query, XML and JSON protocols over described shapes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "aws/operation.hpp"
#include "aws/shape.hpp"
#include "base/result.hpp"

namespace runctl::aws {

using WriteMembers = std::function<void(ShapeWriter&)>;
using ReadMembers = std::function<void(ShapeReader&)>;

// The form of a query request, decoded; what both sides of the query protocols speak.
using Form = std::multimap<std::string, std::string, std::less<>>;
[[nodiscard]] Form parse_form(std::string_view body);

// The request's body. Query protocols carry Action and Version in it.
[[nodiscard]] std::string write_request(const OperationInfo& operation, const WriteMembers& write);

// Reads a request as the service would. Errors: invalid_argument, with AWS's own code in `remote`,
// for a parameter that is unknown (UnknownParameter), repeated, or not of its type
// (InvalidParameterValue; JSON: SerializationException).
[[nodiscard]] Result<void> read_request(const OperationInfo& operation, std::string_view body,
                                        const ReadMembers& read);

// The answer's body, with `request_id` where the protocol puts one into it.
[[nodiscard]] std::string write_response(const OperationInfo& operation,
                                         std::string_view request_id, const WriteMembers& write);

// Errors: corrupt for a body that is not an answer of this operation. Members that are not
// described are passed over: AWS adds members at any time.
[[nodiscard]] Result<void> read_response(const OperationInfo& operation, std::string_view body,
                                         const ReadMembers& read);

// An error as the service words it.
struct WireError {
  std::string code;
  std::string message;
  std::string request_id;
};

[[nodiscard]] std::string write_error(Protocol protocol, const WireError& error);

// Nothing that can be read as an error gives an empty code. The request id of a JSON error is in a
// header, and the caller's to fill in.
[[nodiscard]] WireError read_error(Protocol protocol, std::string_view body);

template <Described T>
[[nodiscard]] WriteMembers writing(const T& value) {
  return [&value](ShapeWriter& writer) { write_members(writer, value); };
}

template <Described T>
[[nodiscard]] ReadMembers reading(T& value) {
  return [&value](ShapeReader& reader) { read_members(reader, value); };
}

}  // namespace runctl::aws
