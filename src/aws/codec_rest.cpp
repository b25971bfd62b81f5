#include "aws/codec_rest.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/codec_xml.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

bool begins_with_name(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// Puts members where they belong in a message. `head` holds all that is not the body's.
class RestWriter final : public ShapeWriter {
 public:
  RestWriter(const RestInfo& operation, RestRequest& head) : operation_{operation}, head_{head} {}

  void scalar(const FieldNames& names, Scalar kind, std::string_view text) override {
    if (!levels_.empty() && levels_.back().group == Inside::headers) {
      add_header(levels_.back().name + std::string{names.location}, text);
      return;
    }
    switch (levels_.empty() ? names.place : Place::body) {
      case Place::uri:
        (names.location == "Bucket" ? head_.bucket : head_.key) = text;
        break;
      case Place::query:
        head_.query.emplace_back(names.location, text);
        break;
      case Place::header:
        add_header(names.location, kind == Scalar::timestamp ? as_http_date(text) : text);
        break;
      case Place::text:
        open_root();
        head_.body += xml_escape(text);
        break;
      case Place::body:
      case Place::payload:
      case Place::headers:
        open_root();
        open(element(names));
        head_.body += xml_escape(text);
        close(element(names));
    }
  }

  void begin(const FieldNames& names, Group group) override {
    if (names.place == Place::headers) {
      levels_.push_back({.name = std::string{names.location}, .group = Inside::headers});
    } else if (names.place == Place::payload) {
      head_.body += declaration;
      head_.body += fmt::format("<{} xmlns=\"{}\">", names.location, s3_service.xml_namespace);
      levels_.push_back({.name = std::string{names.location}});
    } else {
      open_root();
      const bool is_list = group == Group::list;
      const std::string name{is_list && names.flattened ? std::string_view{} : element(names)};
      if (!name.empty()) open(name);
      levels_.push_back(
          {.name = name, .group = is_list ? Inside::list : Inside::structure, .item = names.item});
    }
  }

  void end() override {
    const Level& level = levels_.back();
    if (level.group != Inside::headers && !level.name.empty()) close(level.name);
    levels_.pop_back();
  }

  void finish() {
    if (!operation_.root.empty()) open_root();
    if (has_root_) close(operation_.root);
  }

 private:
  enum class Inside : std::uint8_t { structure, list, headers };
  struct Level {
    std::string name;  // of the element, empty without one
    Inside group = Inside::structure;
    std::string_view item = {};
  };

  [[nodiscard]] std::string_view element(const FieldNames& names) const {
    const bool in_list = !levels_.empty() && levels_.back().group == Inside::list;
    return in_list ? levels_.back().item : names.location;
  }

  void open(std::string_view name) {
    head_.body += '<';
    head_.body += name;
    head_.body += '>';
  }
  void close(std::string_view name) {
    head_.body += "</";
    head_.body += name;
    head_.body += '>';
  }
  void open_root() {
    if (has_root_ || !levels_.empty()) return;
    has_root_ = true;
    head_.body += declaration;
    head_.body += fmt::format("<{} xmlns=\"{}\">", operation_.root, s3_service.xml_namespace);
  }

  void add_header(std::string_view name, std::string_view value) {
    head_.headers.push_back({.name = lower(name), .value = std::string{value}});
  }
  std::string_view as_http_date(std::string_view iso8601) {
    Timestamp time;
    if (parse_scalar(iso8601, time)) date_ = http_date(time);
    return date_;
  }

  const RestInfo& operation_;
  RestRequest& head_;
  std::vector<Level> levels_;
  bool has_root_ = false;
  std::string date_;
};

enum class Direction : std::uint8_t { request, response };

// Takes members from where they are in a message. The document is parsed when its first member is
// asked for, and in place.
class RestReader final : public ShapeReader {
 public:
  RestReader(const RestRequest& head, std::string& body, Direction direction)
      : head_{head}, body_{body}, direction_{direction} {}

  std::optional<std::string> scalar(const FieldNames& names, Scalar kind) override {
    if (!levels_.empty() && levels_.back().is_headers) {
      return in_headers(std::string{levels_.back().item} + std::string{names.location}, kind);
    }
    switch (levels_.empty() ? names.place : Place::body) {
      case Place::uri: {
        const std::string& label = names.location == "Bucket" ? head_.bucket : head_.key;
        return label.empty() ? std::nullopt : std::optional{label};
      }
      case Place::query: {
        const auto found = std::ranges::find_if(
            head_.query, [&names](const auto& pair) { return pair.first == names.location; });
        return found == head_.query.end() ? std::nullopt : std::optional{found->second};
      }
      case Place::header:
        return in_headers(names.location, kind);
      case Place::text:
        return parsed() ? std::optional<std::string>{root_.text().get()} : std::nullopt;
      case Place::body:
      case Place::payload:
      case Place::headers:
        break;
    }
    const pugi::xml_node node = child(names);
    return node ? std::optional<std::string>{node.text().get()} : std::nullopt;
  }

  bool enter(const FieldNames& names) override {
    if (names.place == Place::headers) {
      levels_.push_back({.item = names.location, .is_headers = true});
      return true;
    }
    pugi::xml_node node;
    if (names.place != Place::payload) {
      node = child(names);
    } else if (parsed()) {
      const bool is_it = direction_ == Direction::response || names.location == root_.name();
      if (!is_it) malformed_ = true;
      node = is_it ? root_ : pugi::xml_node{};
    }
    if (!node) return false;
    levels_.push_back({.node = node});
    return true;
  }

  void leave() override { levels_.pop_back(); }

  bool enter_list(const FieldNames& names) override {
    const pugi::xml_node node = names.flattened ? parent() : child(names);
    if (!node) return false;
    levels_.push_back({.node = node, .item = names.item, .is_list = true});
    return true;
  }

  bool next() override {
    Level& level = levels_.back();
    level.at = level.started ? level.at.next_sibling() : level.node.first_child();
    level.started = true;
    while (level.at && level.item != level.at.name()) level.at = level.at.next_sibling();
    return !level.at.empty();
  }

  std::vector<std::string> keys(const FieldNames& names) override {
    std::vector<std::string> keys;
    if (names.place != Place::headers) return keys;
    for (const HttpHeader& header : head_.headers) {
      if (begins_with_name(header.name, names.location)) {
        keys.push_back(lower(std::string_view{header.name}.substr(names.location.size())));
      }
    }
    return keys;
  }

  void complain(const FieldNames& names, std::string_view what) override {
    if (complaint_.empty()) complaint_ = fmt::format("{} is '{}'", names.location, what);
  }

  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  struct Level {
    pugi::xml_node node = {};
    std::string_view item = {};  // of a list; of headers, what their names begin with
    bool is_list = false;
    bool is_headers = false;
    pugi::xml_node at = {};
    bool started = false;
  };

  bool parsed() {
    if (!looked_) {
      looked_ = true;
      // Blank-only text counts: a key may be one space.
      constexpr unsigned how =
          pugi::parse_default | pugi::parse_ws_pcdata_single | pugi::parse_embed_pcdata;
      const bool is_xml = document_.load_buffer_inplace(body_.data(), body_.size(), how);
      root_ = is_xml ? document_.document_element() : pugi::xml_node{};
      // A request may leave its document out.
      if (!root_) malformed_ = direction_ == Direction::response || !body_.empty();
    }
    return !root_.empty();
  }

  // What the members of the structure that is being read are children of.
  pugi::xml_node parent() {
    if (levels_.empty()) return parsed() ? root_ : pugi::xml_node{};
    return levels_.back().is_list ? levels_.back().at : levels_.back().node;
  }

  pugi::xml_node child(const FieldNames& names) {
    if (!levels_.empty() && levels_.back().is_list) return levels_.back().at;
    for (const pugi::xml_node node : parent().children()) {
      if (names.location == node.name()) return node;
    }
    return {};
  }

  std::optional<std::string> in_headers(std::string_view name, Scalar kind) {
    const auto value = find_header(head_.headers, name);
    if (!value) return std::nullopt;
    if (kind != Scalar::timestamp) return std::string{*value};
    const auto time = parse_http_date(*value);
    return time ? iso8601(*time) : std::string{*value};
  }

  const RestRequest& head_;
  std::string& body_;
  Direction direction_;
  pugi::xml_document document_;
  pugi::xml_node root_;
  bool looked_ = false;
  bool malformed_ = false;
  std::vector<Level> levels_;
  std::string complaint_;
};

// "/{Bucket}/{Key+}?list-type=2": what the template itself puts into the query.
void add_fixed_query(std::string_view uri, RestRequest& request) {
  const auto question = uri.find('?');
  if (question == std::string_view::npos) return;
  const std::string_view query = uri.substr(question + 1);
  const auto equals = query.find('=');
  request.query.emplace_back(query.substr(0, equals), equals == std::string_view::npos
                                                          ? std::string_view{}
                                                          : query.substr(equals + 1));
}

std::unexpected<Error> refusal(std::string_view code, std::string message) {
  Error error{.code = Errc::invalid_argument, .message = std::move(message)};
  error.remote = RemoteFault{.http_status = 400, .code = std::string{code}};
  return std::unexpected{std::move(error)};
}

constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

RestRequest write_rest_request(const RestInfo& operation, const WriteMembers& write) {
  RestRequest request{.method = std::string{operation.method}};
  add_fixed_query(operation.uri, request);
  // The root is the answer's; a request's document is always one member, the payload.
  const RestInfo without_root{
      .name = operation.name, .method = operation.method, .uri = operation.uri};
  RestWriter writer{without_root, request};
  write(writer);
  writer.finish();
  return request;
}

Result<void> read_rest_request(const RestInfo& operation, const RestRequest& request,
                               const ReadMembers& read) {
  std::string body = request.body;
  RestReader reader{request, body, Direction::request};
  read(reader);
  if (reader.malformed()) {
    return refusal("MalformedXML",
                   "The XML you provided was not well-formed or did not validate against our "
                   "published schema");
  }
  if (!reader.complaint().empty()) {
    return refusal("InvalidArgument",
                   fmt::format("Invalid argument in {}: {}", operation.name, reader.complaint()));
  }
  return {};
}

HttpResponse write_rest_response(const RestInfo& operation, const WriteMembers& write) {
  RestRequest head;
  RestWriter writer{operation, head};
  write(writer);
  writer.finish();
  if (!head.body.empty()) {
    head.headers.push_back({.name = "content-type", .value = "application/xml"});
  }
  return {
      .status = operation.status, .headers = std::move(head.headers), .body = std::move(head.body)};
}

Result<void> read_rest_response(const RestInfo& operation, HttpResponse response,
                                const ReadMembers& read) {
  const RestRequest head{.headers = std::move(response.headers)};
  RestReader reader{head, response.body, Direction::response};
  read(reader);
  if (reader.malformed()) {
    return fail(Errc::corrupt, fmt::format("the answer to {} is not XML", operation.name));
  }
  if (!reader.complaint().empty()) {
    return fail(Errc::corrupt,
                fmt::format("in the answer to {}, {}", operation.name, reader.complaint()));
  }
  return {};
}

std::string write_rest_error(const RestError& error) {
  std::string out{declaration};
  out += "<Error>";
  const auto add = [&out](std::string_view name, std::string_view text) {
    if (!text.empty()) out += fmt::format("<{}>{}</{}>", name, xml_escape(text), name);
  };
  add("Code", error.code);
  add("Message", error.message);
  add("Resource", error.resource);
  add("Region", error.region);
  add("Endpoint", error.endpoint);
  add("RequestId", error.request_id);
  add("HostId", error.host_id);
  out += "</Error>";
  return out;
}

std::optional<RestError> read_rest_error(std::string_view body) {
  // Long bodies are answers: an error is never as long, and a listing is not worth a look.
  constexpr std::size_t longest = 64U << 10U;
  if (body.empty() || body.size() > longest) return std::nullopt;
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return std::nullopt;
  const pugi::xml_node root = document.child("Error");
  if (!root) return std::nullopt;
  const auto text = [&root](const char* name) { return root.child(name).text().get(); };
  return RestError{.code = text("Code"),
                   .message = text("Message"),
                   .resource = text("Resource"),
                   .request_id = text("RequestId"),
                   .host_id = text("HostId"),
                   .region = text("Region"),
                   .endpoint = text("Endpoint")};
}

std::optional<std::string_view> find_header(const std::vector<HttpHeader>& headers,
                                            std::string_view name) {
  const auto found = std::ranges::find_if(
      headers, [name](const HttpHeader& header) { return same_ignoring_case(header.name, name); });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::string http_date(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     days[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<Timestamp> parse_http_date(std::string_view text) {
  const auto number = [text](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const auto no_date = [text] {
    return fail(Errc::invalid_argument, fmt::format("not a date of HTTP: '{}'", text));
  };
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29) return no_date();
  const auto* const month = std::ranges::find(months, text.substr(8, 3));
  const int day = number(5, 2);
  const int year = number(12, 4);
  const int hour = number(17, 2);
  const int minute = number(20, 2);
  const int second = number(23, 2);
  if (month == months.end() || day < 0 || year < 0) return no_date();
  const std::chrono::year_month_day date{
      std::chrono::year{year},
      std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
      std::chrono::day{static_cast<unsigned>(day)}};
  const bool is_time =
      hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
  if (!date.ok() || !is_time) return no_date();
  const Timestamp time = std::chrono::sys_days{date} + std::chrono::hours{hour} +
                         std::chrono::minutes{minute} + std::chrono::seconds{second};
  // What is between the numbers, and the day of the week.
  if (second < 60 && http_date(time) != text) return no_date();
  return time;
}

}  // namespace runctl::aws
