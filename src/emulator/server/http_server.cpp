#include "emulator/server/http_server.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <list>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "emulator/server/connection_bytes.hpp"
#include "emulator/server/http_connection.hpp"
#include "io/file.hpp"
#include "io/real_clock.hpp"

namespace runctl::emulator {
namespace {

// Each has a thread. Who comes when all are taken waits until one goes.
constexpr std::size_t most_connections = 1'000;
constexpr int queue_length = 4'096;
constexpr std::chrono::seconds farewell{1};

Result<UniqueFd> listen_on(std::uint16_t port) {
  const auto failed = [port](int error) -> std::unexpected<Error> {
    Errc code = Errc::internal;
    if (error == EADDRINUSE) code = Errc::conflict;
    if (error == EACCES || error == EPERM) code = Errc::denied;
    return fail(code, fmt::format("cannot listen on 127.0.0.1:{}: {}", port,
                                  std::generic_category().message(error)));
  };
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.is_open()) return failed(errno);
  // A port that only lingers from an earlier run is free.
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(socket.get(), generic, sizeof address) != 0) return failed(errno);
  if (::listen(socket.get(), queue_length) != 0) return failed(errno);
  return socket;
}

std::uint16_t port_of(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A client that goes away must end nothing but its connection; sendfile() has no flag for that.
void hold_back_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace

struct HttpServer::Impl {
  Impl(const HttpServerOptions& server_options, HttpHandlers request_handlers)
      : options{server_options}, handlers{std::move(request_handlers)} {}

  struct Connection {
    std::atomic<bool> ended = false;
    std::jthread thread = {};
  };

  Result<void> open() {
    RUNCTL_TRY(closing.prepare());
    RUNCTL_TRY_LET(listener, listen_on(options.port));
    port = port_of(listener);
    acceptor = std::jthread{[this] { accept_all(); }};
    return {};
  }

  void accept_all() {
    std::array<pollfd, 2> watched{pollfd{.fd = listener.get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = closing.signal(), .events = POLLIN, .revents = 0}};
    while (!closing.has_begun()) {
      std::erase_if(connections, [](const Connection& c) { return c.ended.load(); });
      if (connections.size() >= most_connections) {
        (void)::poll(&watched[1], 1, 10);
        continue;
      }
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      UniqueFd socket{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (!socket.is_open()) {
        // Out of descriptors: some will be closed.
        if (errno == EMFILE || errno == ENFILE) (void)::poll(&watched[1], 1, 10);
        continue;
      }
      const int yes = 1;
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      Connection& connection = connections.emplace_back();
      connection.thread = std::jthread{[this, &connection, socket = std::move(socket)]() mutable {
        hold_back_sigpipe();
        serve_connection(std::move(socket), options, handlers, closing);
        connection.ended = true;
      }};
    }
    listener.reset();
    connections.clear();  // waits for each
  }

  void shut_down() {
    closing.begin(RealClock{}.ticks() + farewell);
    acceptor.join();
  }

  HttpServerOptions options;
  HttpHandlers handlers;
  Closing closing;
  UniqueFd listener;
  std::uint16_t port = 0;
  std::list<Connection> connections;  // the acceptor's own
  std::jthread acceptor;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}

// Threads that cannot be joined are a bug of ours, for which ending the process is right.
// NOLINTNEXTLINE(bugprone-exception-escape)
HttpServer::~HttpServer() { impl_->shut_down(); }

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options,
                                                       HttpHandlers handlers) {
  auto impl = std::make_unique<Impl>(options, std::move(handlers));
  RUNCTL_TRY(impl->open());
  return std::unique_ptr<HttpServer>{new HttpServer{std::move(impl)}};
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options,
                                                       HttpHandler handler) {
  return listen(options, HttpHandlers{.whole = std::move(handler)});
}

std::uint16_t HttpServer::port() const { return impl_->port; }

}  // namespace runctl::emulator
