// The only file that includes Beast, which takes long to compile.
#include "emulator/server/http_connection.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/server/reply_writer.hpp"

namespace runctl::emulator {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Parser = http::request_parser<http::buffer_body>;

// How much is taken from the socket at a time where nobody has offered memory for more.
constexpr std::size_t piece_size = std::size_t{16} << 10U;
// What is still coming from a client that has its answer is thrown away for so long: closed at
// once, the connection would be reset, and the answer lost with it.
constexpr std::chrono::seconds farewell{2};
// A connection is kept for that much that nobody wanted; another one is faster for more.
constexpr std::uint64_t most_unread = std::uint64_t{16} << 20U;

// Bytes that have come and are not used up yet.
class Inbox {
 public:
  [[nodiscard]] std::span<const std::byte> bytes() const {
    return std::span{data_}.subspan(begin_, end_ - begin_);
  }
  [[nodiscard]] bool is_empty() const { return begin_ == end_; }
  void use(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room for at least one more piece, behind what is there.
  [[nodiscard]] std::span<std::byte> room() {
    if (begin_ > 0) {
      std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (data_.size() - end_ < piece_size) data_.resize(end_ + piece_size);
    return std::span{data_}.subspan(end_);
  }
  void add(std::size_t count) { end_ += count; }

 private:
  std::vector<std::byte> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// What to tell a client whose request could not be read; nothing when it has gone or was too slow.
std::optional<http::status> status_for(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  const bool gone = error == http::error::end_of_stream || error == http::error::partial_message;
  const bool is_http = error.category() == make_error_code(http::error::bad_method).category();
  return is_http && !gone ? std::optional{http::status::bad_request} : std::nullopt;
}

HttpRequest to_request(const Parser& parser) {
  const auto& message = parser.get();
  HttpRequest request{.method = std::string{std::string_view{message.method_string()}}};
  for (const auto& field : message) {
    request.headers.push_back(
        {lower(std::string_view{field.name_string()}), std::string{field.value()}});
  }
  // Whoever takes us for a proxy sends the whole URL. Source: RFC 9112, 3.2.2.
  const std::string_view target{message.target()};
  request.url =
      target.starts_with("http://")
          ? std::string{target}
          : fmt::format("http://{}{}", std::string_view{message[http::field::host]}, target);
  return request;
}

class IncomingBody final : public RequestBody {
 public:
  IncomingBody(ConnectionBytes& bytes, Inbox& inbox, Parser& parser,
               std::chrono::milliseconds stall)
      : bytes_{bytes}, inbox_{inbox}, parser_{parser}, stall_{stall} {
    if (!parser_.chunked()) left_ = parser_.content_length().value_or(0);
    waits_ = beast::iequals(parser_.get()[http::field::expect], "100-continue");
  }

  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    if (parser_.chunked()) return std::nullopt;
    return parser_.content_length().value_or(0);
  }

  // From now on a read has until then, however much comes.
  void finish_by(Deadline deadline) { deadline_ = deadline; }

  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into) override {
    if (into.empty() || is_over()) return 0;
    if (waits_) {
      constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      RUNCTL_TRY(bytes_.write(std::as_bytes(std::span{go_on}), stall_));
      waits_ = false;
    }
    auto got = parser_.chunked() ? read_chunked(into) : read_plain(into);
    if (!got) failed_ = true;
    return got;
  }

  [[nodiscard]] bool is_over() const { return parser_.chunked() ? parser_.is_done() : *left_ == 0; }
  // How much is still to come; 0 when only its end will tell.
  [[nodiscard]] std::uint64_t left() const { return left_.value_or(0); }
  // The client would have to be asked for the rest, or cannot be understood any more.
  [[nodiscard]] bool is_stuck() const { return waits_ || failed_; }

 private:
  [[nodiscard]] Deadline deadline() const { return deadline_.value_or(bytes_.deadline_in(stall_)); }

  static std::unexpected<Error> ended() {
    return fail(Errc::unavailable, "the client left in the middle of its request's body");
  }

  Result<std::size_t> read_plain(std::span<std::byte> into) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), *left_));
    std::size_t got = 0;
    if (!inbox_.is_empty()) {
      const auto there = inbox_.bytes();
      got = std::min(wanted, there.size());
      std::memcpy(into.data(), there.data(), got);
      inbox_.use(got);
    } else {
      RUNCTL_TRY_LET(got, bytes_.read(into.first(wanted), deadline()));
      if (got == 0) return ended();
    }
    *left_ -= got;
    return got;
  }

  // Until there is something for `into`, or the body is at its end.
  Result<std::size_t> read_chunked(std::span<std::byte> into) {
    auto& body = parser_.get().body();
    body.data = into.data();
    body.size = into.size();
    body.more = true;
    while (!parser_.is_done() && body.size == into.size()) {
      error_code error;
      const auto there = inbox_.bytes();
      if (!there.empty()) {
        inbox_.use(parser_.put(boost::asio::const_buffer{there.data(), there.size()}, error));
      } else {
        error = http::error::need_more;
      }
      if (error == http::error::need_buffer) break;
      if (error == http::error::need_more) {
        RUNCTL_TRY_LET(const std::size_t got, bytes_.read(inbox_.room(), deadline()));
        if (got == 0) return ended();
        inbox_.add(got);
      } else if (error) {
        return fail(
            Errc::invalid_argument,
            fmt::format("the request's body is not chunked as it says: {}", error.message()));
      }
    }
    return into.size() - body.size;
  }

  ConnectionBytes& bytes_;
  Inbox& inbox_;
  Parser& parser_;
  std::chrono::milliseconds stall_;
  std::optional<Deadline> deadline_;
  std::optional<std::uint64_t> left_;
  bool waits_ = false;  // to be asked for it
  bool failed_ = false;
};

class Connection {
 public:
  Connection(UniqueFd socket, const HttpServerOptions& options, const HttpHandlers& handlers,
             const Closing& closing)
      : options_{options},
        handlers_{handlers},
        closing_{closing},
        bytes_{std::move(socket), closing} {}

  void serve() {
    while (!closing_.has_begun() && serve_one()) {
    }
    bytes_.finish();
    const Deadline end = bytes_.deadline_in(farewell);
    while (true) {
      const auto got = bytes_.read(inbox_.room(), end, ConnectionBytes::Idle::yes);
      if (!got || *got == 0) return;
    }
  }

 private:
  // False when the connection is at its end.
  bool serve_one() {
    const Deadline deadline = bytes_.deadline_in(options_.idle_timeout);
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.header_limit));
    parser.body_limit(boost::none);
    if (!read_head(parser, deadline)) return false;
    IncomingBody body{bytes_, inbox_, parser, options_.idle_timeout};
    HttpRequest request = to_request(parser);
    const ReplyContext context{.is_head = request.method == "HEAD",
                               .version = parser.get().version(),
                               .stall = options_.idle_timeout};
    std::optional<Reply> reply;
    if (handlers_.is_streamed && handlers_.is_streamed(request)) {
      reply = guarded([&] { return handlers_.streamed(request, body); });
    } else {
      body.finish_by(deadline);
      if (!read_whole(body, request.body)) return false;
      reply = guarded([&] { return handlers_.whole(request); });
    }
    const bool stays = parser.keep_alive() && !body.is_stuck() && body.left() <= most_unread &&
                       !closing_.has_begun() && reply->delivery == Delivery::whole;
    const auto written = write_reply(bytes_, *reply, context, stays ? Stays::yes : Stays::no);
    if (!written || !stays) return false;
    // The rest of a body that nobody wanted lies between us and the next request.
    while (!body.is_over()) {
      const auto got = body.read(inbox_scratch());
      if (!got) return false;
    }
    return true;
  }

  bool read_head(Parser& parser, Deadline deadline) {
    while (!parser.is_header_done()) {
      error_code error = http::error::need_more;
      const auto there = inbox_.bytes();
      if (!there.empty()) {
        inbox_.use(parser.put(boost::asio::const_buffer{there.data(), there.size()}, error));
      }
      if (!error) continue;
      if (error != http::error::need_more) {
        if (const auto status = status_for(error)) refuse(*status, error.message());
        return false;
      }
      const auto got = bytes_.read(inbox_.room(), deadline, ConnectionBytes::Idle::yes);
      if (!got || *got == 0) return false;
      inbox_.add(*got);
    }
    return true;
  }

  // False when it cannot be had, and the client has been told.
  bool read_whole(IncomingBody& body, std::string& into) {
    const auto too_large = [&] {
      refuse(http::status::payload_too_large, "body limit exceeded");
      return false;
    };
    if (body.size().value_or(0) > options_.body_limit) return too_large();
    std::size_t filled = 0;
    while (!body.is_over()) {
      const auto left = body.size() ? *body.size() - filled : std::uint64_t{piece_size};
      into.resize(filled + static_cast<std::size_t>(std::min<std::uint64_t>(left, 1U << 20U)));
      const auto got = body.read(std::as_writable_bytes(std::span{into}.subspan(filled)));
      if (!got) {
        if (got.error().code == Errc::invalid_argument) {
          refuse(http::status::bad_request, got.error().message);
        }
        return false;
      }
      filled += *got;
      if (filled > options_.body_limit) return too_large();
    }
    into.resize(filled);
    return true;
  }

  void refuse(http::status status, const std::string& why) {
    const Reply reply{HttpResponse{.status = static_cast<int>(status),
                                   .headers = {{"content-type", "text/plain"}},
                                   .body = why + "\n"}};
    (void)write_reply(bytes_, reply, {.stall = options_.idle_timeout}, Stays::no);
  }

  // A defect of ours must not take the other clients down.
  template <class Handler>
  static Reply guarded(const Handler& handler) {
    try {
      return handler();
    } catch (const std::exception& exception) {
      return HttpResponse{
          .status = 500, .headers = {{"content-type", "text/plain"}}, .body = exception.what()};
    }
  }

  std::span<std::byte> inbox_scratch() {
    scratch_.resize(piece_size);
    return scratch_;
  }

  const HttpServerOptions& options_;
  const HttpHandlers& handlers_;
  const Closing& closing_;
  ConnectionBytes bytes_;
  Inbox inbox_;
  std::vector<std::byte> scratch_;
};

}  // namespace

void serve_connection(UniqueFd socket, const HttpServerOptions& options,
                      const HttpHandlers& handlers, const Closing& closing) {
  Connection{std::move(socket), options, handlers, closing}.serve();
}

}  // namespace runctl::emulator
