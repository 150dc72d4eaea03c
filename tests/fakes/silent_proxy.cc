#include "tests/fakes/silent_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace oombox {

namespace {

constexpr int kPollMs = 10;

}  // namespace

SilentProxy::SilentProxy(std::string upstream)
    : upstream_(std::move(upstream)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), generic, size) == 0 && ::listen(listener_.get(), 16) == 0 &&
      ::getsockname(listener_.get(), generic, &size) == 0) {
    port_ = ntohs(address.sin_port);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void SilentProxy::Thaw() {
  std::lock_guard lock(mutex_);
  pairs_.clear();
  frozen_ = false;
}

void SilentProxy::Accept() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, upstream_.c_str(), upstream_.size() + 1);
  if (client.valid() &&
      ::connect(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    pairs_.push_back({std::move(client), std::move(server)});
  }
}

bool SilentProxy::Forward(int from, int to) {
  std::array<char, 1 << 16> bytes;
  const ssize_t got = ::read(from, bytes.data(), bytes.size());
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now =
        ::send(to, bytes.data() + sent, static_cast<size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) {
      return false;
    }
    sent += now;
  }
  return got > 0;
}

void SilentProxy::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> waited{{listener_.get(), POLLIN, 0}};
    std::unique_lock lock(mutex_);
    for (const Pair& pair : pairs_) {
      waited.push_back({pair.client.get(), POLLIN, 0});
      waited.push_back({pair.server.get(), POLLIN, 0});
    }
    const size_t known = pairs_.size();
    lock.unlock();
    if (frozen_) {
      ::poll(nullptr, 0, kPollMs);
      continue;
    }
    ::poll(waited.data(), waited.size(), kPollMs);
    lock.lock();
    if (frozen_ || pairs_.size() != known) {
      continue;  // frozen or thawed meanwhile
    }
    if (waited[0].revents != 0) {
      Accept();
    }
    for (size_t i = known; i-- > 0;) {
      const pollfd& client = waited[1 + 2 * i];
      const pollfd& server = waited[2 + 2 * i];
      if ((client.revents != 0 && !Forward(client.fd, server.fd)) ||
          (server.revents != 0 && !Forward(server.fd, client.fd))) {
        pairs_.erase(pairs_.begin() + static_cast<ptrdiff_t>(i));
      }
    }
  }
}

}  // namespace oombox
