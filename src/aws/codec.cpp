#include "aws/codec.hpp"

#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/codec_json.hpp"
#include "aws/codec_query.hpp"
#include "aws/codec_rest.hpp"
#include "aws/codec_xml.hpp"
#include "base/json.hpp"

namespace runctl::aws {
namespace {

std::string_view item_name(Protocol protocol) {
  return protocol == Protocol::ec2 ? "item" : "member";
}

// The start of what came instead, for a message: on one line and short.
std::string glimpse(std::string_view body) {
  std::string text{body.substr(0, 60)};
  for (char& c : text) {
    if (c >= 0 && c < ' ') c = ' ';
  }
  return body.empty() ? "an empty body" : fmt::format("'{}'", text);
}

std::unexpected<Error> not_an_answer(const OperationInfo& operation, std::string_view body) {
  return fail(Errc::corrupt, fmt::format("the answer to {} is not one of {}: {}", operation.name,
                                         operation.service.id, glimpse(body)));
}

std::unexpected<Error> serialization_exception(std::string message) {
  Error error{.code = Errc::invalid_argument, .message = std::move(message)};
  error.remote = RemoteFault{.http_status = 400, .code = "SerializationException"};
  return std::unexpected{std::move(error)};
}

Result<void> read_json(const OperationInfo& operation, std::string_view body,
                       const ReadMembers& read) {
  const auto value = parse_json(body.empty() ? "{}" : body);
  if (!value || !value->is_object()) return not_an_answer(operation, body);
  JsonReader reader{*value};
  read(reader);
  if (reader.complaint().empty()) return {};
  return fail(Errc::corrupt,
              fmt::format("in the answer to {}, {}", operation.name, reader.complaint()));
}

Result<void> read_json_request(std::string_view body, const ReadMembers& read) {
  const auto value = parse_json(body.empty() ? "{}" : body);
  if (!value || !value->is_object()) return serialization_exception("The body is not JSON");
  JsonReader reader{*value};
  read(reader);
  if (!reader.complaint().empty()) return serialization_exception(reader.complaint());
  if (const std::string unread = reader.first_unread(); !unread.empty()) {
    return serialization_exception(fmt::format("The member {} is not recognized", unread));
  }
  return {};
}

}  // namespace

bool parse_scalar(std::string_view text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

bool parse_scalar(std::string_view text, std::int64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end;
}

bool parse_scalar(std::string_view text, Timestamp& value) {
  const auto time = parse_iso8601(text);
  if (time) value = *time;
  return time.has_value();
}

std::string write_request(const OperationInfo& operation, const WriteMembers& write) {
  if (operation.service.protocol == Protocol::json) {
    JsonWriter writer;
    write(writer);
    return writer.finish();
  }
  FormWriter writer{operation};
  write(writer);
  return std::move(writer).finish();
}

Result<void> read_request(const OperationInfo& operation, std::string_view body,
                          const ReadMembers& read) {
  if (operation.service.protocol == Protocol::json) return read_json_request(body, read);
  FormReader reader{operation.service.protocol, parse_form(body)};
  read(reader);
  return reader.finish();
}

std::string write_response(const OperationInfo& operation, std::string_view request_id,
                           const WriteMembers& write) {
  const Service& service = operation.service;
  if (service.protocol == Protocol::json) {
    JsonWriter writer;
    write(writer);
    return writer.finish();
  }
  std::string out =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{}Response xmlns=\"{}\">",
                  operation.name, service.xml_namespace);
  XmlWriter writer{out, item_name(service.protocol)};
  if (service.protocol == Protocol::ec2) {
    out += fmt::format("<requestId>{}</requestId>", request_id);
    write(writer);
  } else {
    out += fmt::format("<{}Result>", operation.name);
    write(writer);
    out += fmt::format("</{}Result><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>",
                       operation.name, request_id);
  }
  out += fmt::format("</{}Response>\n", operation.name);
  return out;
}

Result<void> read_response(const OperationInfo& operation, std::string_view body,
                           const ReadMembers& read) {
  const Protocol protocol = operation.service.protocol;
  if (protocol == Protocol::json) return read_json(operation, body, read);
  pugi::xml_document document;
  // Blank-only text counts: a tag's value may be one space.
  const auto parsed = document.load_buffer(body.data(), body.size(),
                                           pugi::parse_default | pugi::parse_ws_pcdata_single);
  pugi::xml_node root = document.child(fmt::format("{}Response", operation.name).c_str());
  if (protocol == Protocol::query)
    root = root.child(fmt::format("{}Result", operation.name).c_str());
  if (!parsed || !root) return not_an_answer(operation, body);
  XmlReader reader{root, item_name(protocol)};
  read(reader);
  if (reader.complaint().empty()) return {};
  return fail(Errc::corrupt,
              fmt::format("in the answer to {}, {}", operation.name, reader.complaint()));
}

std::string write_error(Protocol protocol, const WireError& error) {
  const std::string code = xml_escape(error.code);
  const std::string message = xml_escape(error.message);
  switch (protocol) {
    case Protocol::ec2:
      return fmt::format(
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code>"
          "<Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>\n",
          code, message, error.request_id);
    case Protocol::query:
      return fmt::format(
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse xmlns=\"{}\"><Error>"
          "<Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{}</RequestId>"
          "</ErrorResponse>\n",
          sts_service.xml_namespace, code, message, error.request_id);
    case Protocol::rest_xml:
      return write_rest_error(
          {.code = error.code, .message = error.message, .request_id = error.request_id});
    case Protocol::json: {
      boost::json::object body;
      body["__type"] = error.code;
      body["message"] = error.message;
      return to_text(body);
    }
  }
  std::unreachable();
}

WireError read_error(Protocol protocol, std::string_view body) {
  if (protocol == Protocol::json) {
    const auto value = parse_json(body);
    if (!value) return {};
    std::string code = string_at(*value, "__type").value_or("");
    // "com.amazonaws.ssm#InvalidInstanceId": what is before the '#' is the shape's namespace.
    if (const auto hash = code.rfind('#'); hash != std::string::npos) code.erase(0, hash + 1);
    auto message = string_at(*value, "message");
    if (!message) message = string_at(*value, "Message");
    return {.code = std::move(code), .message = message.value_or(""), .request_id = {}};
  }
  if (protocol == Protocol::rest_xml) {
    const RestError error = read_rest_error(body).value_or(RestError{});
    return {.code = error.code, .message = error.message, .request_id = error.request_id};
  }
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node root = document.document_element();
  const pugi::xml_node error =
      root.child("Errors") ? root.child("Errors").child("Error") : root.child("Error");
  const pugi::xml_node id =
      root.child("RequestID") ? root.child("RequestID") : root.child("RequestId");
  return {.code = error.child("Code").text().get(),
          .message = error.child("Message").text().get(),
          .request_id = id.text().get()};
}

}  // namespace runctl::aws
