#include "tools/memhog/channel.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace oombox {

Result<ChannelPair> MakeChannel() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    return MakeSystemError(ErrorCode::kExhausted, errno, "socketpair");
  }
  ChannelPair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  const int on = 1;
  if (::setsockopt(pair.ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "SO_PASSCRED");
  }
  return pair;
}

void Send(int fd, Signal signal, std::string_view text) {
  std::string bytes(1, static_cast<char>(signal));
  bytes += text;
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

Message Receive(int fd) {
  std::array<char, 1024> buffer;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control;
  iovec io{buffer.data(), buffer.size()};
  msghdr header = {};
  header.msg_iov = &io;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t n = ::recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
  Message message;
  if (n <= 0) {
    return message;
  }
  message.signal = static_cast<Signal>(buffer[0]);
  message.text.assign(buffer.data() + 1, static_cast<size_t>(n) - 1);
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials;
      std::memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
      message.sender = credentials.pid;
    }
  }
  return message;
}

Result<Waiter> Waiter::Make(std::chrono::seconds timeout) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    sigaddset(&set, signal);
  }
  sigprocmask(SIG_BLOCK, &set, nullptr);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!fd.valid()) {
    return MakeSystemError(ErrorCode::kExhausted, errno, "signalfd");
  }
  return Waiter(std::move(fd), timeout);
}

Status Waiter::Poll(int fd, int timeout_ms, std::string_view what) const {
  std::array<pollfd, 2> fds = {pollfd{signals_.get(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
  int ready = 0;
  do {
    ready = ::poll(fds.data(), fds.size(), timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "poll");
  }
  if (fds[0].revents != 0) {
    return MakeError(ErrorCode::kInternal, "stopped by a signal while waiting for {}", what);
  }
  if (ready == 0) {
    return MakeError(ErrorCode::kInternal, "{} did not happen within {} s (see --timeout)", what,
                     timeout_.count());
  }
  return {};
}

Status Waiter::Until(int fd, std::string_view what) const {
  return Poll(fd, static_cast<int>(timeout_.count() * 1000), what);
}

Status Waiter::UntilForever(int fd, std::string_view what) const { return Poll(fd, -1, what); }

Result<Message> Waiter::ReceiveFrom(int fd) const {
  OOMBOX_RETURN_IF_ERROR(Until(fd, "a worker's message"));
  Message message = Receive(fd);
  if (message.signal == Signal::kFailed) {
    return MakeError(ErrorCode::kInternal, "worker: {}", message.text);
  }
  return message;
}

}  // namespace oombox
