#include "emulator/server/connection_bytes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace runctl::emulator {
namespace {

std::unexpected<Error> broken(int error) {
  return fail(Errc::unavailable, fmt::format("the client's connection is broken: {}",
                                             std::generic_category().message(error)));
}

std::unexpected<Error> too_slow() {
  return fail(Errc::deadline_exceeded, "the client was too slow");
}

bool would_block(int error) { return error == EAGAIN; }

}  // namespace

Result<void> Closing::prepare() {
  event_ = UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!event_.is_open()) return fail_errno(errno, "create", "an event");
  return {};
}

void Closing::begin(Deadline last) {
  last_ = last.time_since_epoch().count();
  begun_ = true;
  // It stays readable: nobody reads it.
  (void)::eventfd_write(event_.get(), 1);
}

ConnectionBytes::Ready ConnectionBytes::wait(short events, Deadline deadline, Idle idle) {
  std::array<pollfd, 2> watched{pollfd{.fd = socket_.get(), .events = events, .revents = 0},
                                pollfd{.fd = closing_.signal(), .events = POLLIN, .revents = 0}};
  while (true) {
    const bool closing = closing_.has_begun();
    if (closing && idle == Idle::yes) return Ready::gone;
    const Deadline end = closing ? std::min(deadline, closing_.last()) : deadline;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock_.ticks()).count();
    // Once it is known that the server goes its signal would only wake us again.
    const nfds_t count = closing ? 1 : 2;
    const int seen = ::poll(watched.data(), count,
                            static_cast<int>(std::clamp<decltype(left)>(left, 0, 3'600'000)));
    if (seen > 0 && watched[0].revents != 0) return Ready::yes;
    if (left <= 0) return Ready::late;
  }
}

Result<std::size_t> ConnectionBytes::read(std::span<std::byte> into, Deadline deadline, Idle idle) {
  while (true) {
    const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (!would_block(errno)) return broken(errno);
    const Ready ready = wait(POLLIN, deadline, idle);
    if (ready == Ready::late) return too_slow();
    if (ready == Ready::gone) return 0;
  }
}

Result<void> ConnectionBytes::write(std::span<const std::byte> bytes,
                                    std::chrono::milliseconds stall, More more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more == More::yes ? MSG_MORE : 0);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), flags);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) return broken(errno);
    if (wait(POLLOUT, deadline_in(stall), Idle::no) != Ready::yes) return too_slow();
  }
  return {};
}

Result<void> ConnectionBytes::write_file(const FileRange& range, std::chrono::milliseconds stall) {
  auto at = static_cast<off_t>(range.offset);
  std::uint64_t left = range.length;
  // The socket does not block (set when it was accepted), so neither does sendfile.
  constexpr std::uint64_t at_once = std::uint64_t{1} << 30U;
  while (left > 0) {
    const ssize_t sent = ::sendfile(socket_.get(), range.file, &at,
                                    static_cast<std::size_t>(std::min(left, at_once)));
    if (sent > 0) {
      left -= static_cast<std::uint64_t>(sent);
      continue;
    }
    if (sent == 0) return fail(Errc::corrupt, "a file is shorter than it should be");
    if (errno == EINTR) continue;
    if (!would_block(errno)) return broken(errno);
    if (wait(POLLOUT, deadline_in(stall), Idle::no) != Ready::yes) return too_slow();
  }
  return {};
}

void ConnectionBytes::finish() { ::shutdown(socket_.get(), SHUT_WR); }

void ConnectionBytes::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

void ConnectionBytes::pause(std::chrono::milliseconds time) {
  pollfd closing{.fd = closing_.signal(), .events = POLLIN, .revents = 0};
  (void)::poll(&closing, 1, static_cast<int>(time.count()));
}

}  // namespace runctl::emulator
