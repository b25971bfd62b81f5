// The only file that includes Beast, which takes long to compile.
#include "emulator/server/http_server.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::emulator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Answer = http::response<http::string_body>;

// The handler may block on the disk or on a machine: it has threads apart from those that move
// bytes.
constexpr std::size_t handler_threads = 8;
constexpr std::size_t io_threads = 2;
constexpr std::chrono::seconds farewell{1};

HttpRequest to_request(const http::request<http::string_body>& message) {
  HttpRequest request{.method = std::string{message.method_string()}};
  for (const auto& field : message) {
    request.headers.push_back(
        {lower(std::string_view{field.name_string()}), std::string{field.value()}});
  }
  request.url = fmt::format("http://{}{}", std::string_view{message[http::field::host]},
                            std::string_view{message.target()});
  request.body = message.body();
  return request;
}

Answer to_answer(HttpResponse response, unsigned version, bool keep_alive) {
  Answer answer{static_cast<http::status>(response.status), version};
  for (const HttpHeader& h : response.headers) answer.set(h.name, h.value);
  answer.body() = std::move(response.body);
  answer.keep_alive(keep_alive);
  answer.prepare_payload();
  return answer;
}

// What to tell a client whose request could not be read; nothing when it has gone or was too slow.
std::optional<http::status> status_for(const error_code& error) {
  if (error == http::error::body_limit) return http::status::payload_too_large;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  const bool gone = error == http::error::end_of_stream || error == http::error::partial_message;
  const bool is_http = error.category() == make_error_code(http::error::bad_method).category();
  return is_http && !gone ? std::optional{http::status::bad_request} : std::nullopt;
}

class Session;

// What sessions share.
struct Shared {
  const HttpServerOptions& options;
  const HttpHandler& handler;
  asio::thread_pool& pool;
  std::mutex mutex = {};
  std::condition_variable changed = {};
  std::set<Session*> sessions = {};  // those that are alive
  bool stopping = false;
};

// One connection. Its steps run on its strand, one after the other.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_{std::move(socket)}, shared_{shared} {
    const std::lock_guard lock{shared_.mutex};
    shared_.sessions.insert(this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session() {
    const std::lock_guard lock{shared_.mutex};
    shared_.sessions.erase(this);
    shared_.changed.notify_all();
  }

  void start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->read(); });
  }

  // Ends the connection unless a request is being answered.
  void retire() {
    asio::post(stream_.get_executor(), [self = shared_from_this()] {
      if (!self->answering_) self->close();
    });
  }

 private:
  void read() {
    if (is_stopping()) return close();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_limit));
    parser_->body_limit(shared_.options.body_limit);
    stream_.expires_after(shared_.options.idle_timeout);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& error, std::size_t) {
                              self->on_header(error);
                            });
  }

  void on_header(const error_code& error) {
    if (error) return give_up(error);
    const bool asks = beast::iequals(parser_->get()[http::field::expect], "100-continue");
    if (!asks) return read_body();
    go_on_.emplace(http::status::continue_, parser_->get().version());
    http::async_write(stream_, *go_on_,
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                        if (!failed) self->read_body();
                      });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       if (error) return self->give_up(error);
                       self->answer_request();
                     });
  }

  void answer_request() {
    answering_ = true;
    stream_.expires_never();
    asio::post(shared_.pool, [self = shared_from_this()] {
      const auto& message = self->parser_->get();
      Reply reply = self->call_handler(to_request(message));
      const Delivery delivery = reply.delivery;
      Answer answer = to_answer(std::move(reply.response), message.version(),
                                message.keep_alive() && delivery == Delivery::whole);
      asio::post(self->stream_.get_executor(),
                 [self, delivery, answer = std::move(answer)]() mutable {
                   self->deliver(std::move(answer), delivery);
                 });
    });
  }

  // A defect of ours must not take the other clients down.
  Reply call_handler(const HttpRequest& request) {
    try {
      return shared_.handler(request);
    } catch (const std::exception& exception) {
      return HttpResponse{
          .status = 500, .headers = {{"content-type", "text/plain"}}, .body = exception.what()};
    }
  }

  void give_up(const error_code& error) {
    const auto status = status_for(error);
    if (!status) return close();
    answering_ = true;
    write(to_answer({.status = static_cast<int>(*status),
                     .headers = {{"content-type", "text/plain"}},
                     .body = error.message() + "\n"},
                    11, false));
  }

  void deliver(Answer answer, Delivery delivery) {
    switch (delivery) {
      case Delivery::whole:
        return write(std::move(answer));
      case Delivery::half:
        // Its header goes on promising the whole.
        answer.body().resize(answer.body().size() / 2);
        return write(std::move(answer));
      case Delivery::none:
        answering_ = false;
        return close();
    }
  }

  void write(Answer answer) {
    if (is_stopping()) answer.keep_alive(false);
    answer_ = std::move(answer);
    stream_.expires_after(shared_.options.idle_timeout);
    http::async_write(stream_, *answer_,
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        self->answering_ = false;
                        if (error || !self->answer_->keep_alive()) return self->close();
                        self->read();
                      });
  }

  void close() {
    error_code ignored;
    (void)stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.close();
  }

  bool is_stopping() {
    const std::lock_guard lock{shared_.mutex};
    return shared_.stopping;
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::empty_body>> go_on_;
  std::optional<Answer> answer_;
  bool answering_ = false;
};

}  // namespace

struct HttpServer::Impl {
  Impl(const HttpServerOptions& server_options, HttpHandler request_handler)
      : options{server_options}, handler{std::move(request_handler)} {}

  Result<void> open() {
    error_code error;
    const tcp::endpoint address{asio::ip::address_v4::loopback(), options.port};
    (void)acceptor.open(address.protocol(), error);
    // A port that only lingers from an earlier run is free.
    if (!error) (void)acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error) (void)acceptor.bind(address, error);
    if (!error) (void)acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) return {};
    Errc code = Errc::internal;
    if (error == asio::error::address_in_use) code = Errc::conflict;
    if (error == asio::error::access_denied) code = Errc::denied;
    return fail(code,
                fmt::format("cannot listen on 127.0.0.1:{}: {}", options.port, error.message()));
  }

  void serve() {
    accept();
    for (std::size_t i = 0; i < io_threads; ++i) {
      threads.emplace_back([this] { io.run(); });
    }
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(io),
                          [this](const error_code& error, tcp::socket socket) {
                            if (!acceptor.is_open() || error == asio::error::operation_aborted)
                              return;
                            if (!error) {
                              error_code ignored;
                              (void)socket.set_option(tcp::no_delay{true}, ignored);
                              std::make_shared<Session>(std::move(socket), shared)->start();
                            }
                            accept();
                          });
  }

  void shut_down() {
    asio::post(acceptor.get_executor(), [this] { acceptor.close(); });
    std::vector<std::shared_ptr<Session>> alive;
    {
      const std::lock_guard lock{shared.mutex};
      shared.stopping = true;
      for (Session* const session : shared.sessions) {
        if (auto owner = session->weak_from_this().lock()) alive.push_back(std::move(owner));
      }
    }
    for (const auto& session : alive) session->retire();
    alive.clear();
    pool.join();  // requests that are in are answered
    {
      std::unique_lock lock{shared.mutex};
      shared.changed.wait_for(lock, farewell, [&] { return shared.sessions.empty(); });
    }
    io.stop();
    threads.clear();
  }

  // In the order in which they may go, last first: what is left of sessions lives in `io`.
  HttpServerOptions options;
  HttpHandler handler;
  asio::thread_pool pool{handler_threads};
  Shared shared{.options = options, .handler = handler, .pool = pool};
  asio::io_context io{static_cast<int>(io_threads)};
  // While a request is with the handler nothing waits in `io`, and its threads must not go home.
  asio::executor_work_guard<asio::io_context::executor_type> at_work{io.get_executor()};
  tcp::acceptor acceptor{asio::make_strand(io)};
  std::vector<std::jthread> threads = {};
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

// Threads that cannot be joined are a bug of ours, for which ending the process is right.
// NOLINTNEXTLINE(bugprone-exception-escape)
HttpServer::~HttpServer() { impl_->shut_down(); }

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options,
                                                       HttpHandler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  RUNCTL_TRY(impl->open());
  impl->serve();
  return std::unique_ptr<HttpServer>{new HttpServer{std::move(impl)}};
}

std::uint16_t HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace runctl::emulator
