// For tests: a server on 127.0.0.1 that says, byte for byte, what the test wants it to say.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include "io/file.hpp"

namespace runctl::loopback {

// One accepted connection, read and written without any knowledge of HTTP but where a request ends.
class Connection {
 public:
  Connection(UniqueFd fd, std::stop_token stop) : fd_{std::move(fd)}, stop_{std::move(stop)} {}

  // Head and body of the next request; empty when the client has closed.
  std::string read_request() {
    while (true) {
      const auto head = buffer_.find("\r\n\r\n");
      if (head != std::string::npos) {
        std::size_t size = head + 4;
        const auto length = buffer_.find("Content-Length: ");
        if (length < head) size += std::stoul(buffer_.substr(length + 16));
        if (buffer_.size() >= size) {
          const std::string request = buffer_.substr(0, size);
          buffer_.erase(0, size);
          return request;
        }
      }
      std::array<char, 4096> piece{};
      if (!wait_until_readable()) return {};
      const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (got <= 0) return {};
      buffer_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void answer(std::string_view body) {
    write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
          std::string{body});
  }

  // Returns when the client has closed, or the server is to end.
  void stay_silent() {
    std::array<char, 4096> piece{};
    while (wait_until_readable() && ::recv(fd_.get(), piece.data(), piece.size(), 0) > 0) {
    }
  }

 private:
  bool wait_until_readable() {
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (!stop_.stop_requested()) {
      if (::poll(&ready, 1, 20) == 1) return true;
    }
    return false;
  }

  UniqueFd fd_;
  std::stop_token stop_;
  std::string buffer_;
};

// A server on a free port of 127.0.0.1; each connection gets a thread of its own, and then ends.
class Server {
 public:
  explicit Server(std::function<void(Connection&)> serve) : serve_{std::move(serve)} {
    listener_ = UniqueFd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      throw std::runtime_error{"cannot listen on 127.0.0.1"};
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread{[this](const std::stop_token& stop) { accept_all(stop); }};
  }

  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string{path};
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all(const std::stop_token& stop) {
    std::vector<std::jthread> threads;
    pollfd ready{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    while (!stop.stop_requested()) {
      if (::poll(&ready, 1, 20) != 1) continue;
      UniqueFd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      ++connections_;
      threads.emplace_back([this, stop, owned = std::move(fd)]() mutable {
        Connection connection{std::move(owned), stop};
        serve_(connection);
      });
    }
  }

  std::function<void(Connection&)> serve_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread acceptor_;
};

}  // namespace runctl::loopback
