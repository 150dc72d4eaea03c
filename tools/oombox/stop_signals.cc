#include "tools/oombox/stop_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace oombox {

Result<std::unique_ptr<StopSignals>> StopSignals::Make() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return MakeSystemError(ErrorCode::kInternal, error, "cannot block signals");
  }
  UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC));
  UniqueFd end(::eventfd(0, EFD_CLOEXEC));
  if (!signals.valid() || !end.valid()) {
    return MakeSystemError(ErrorCode::kInternal, errno, "cannot listen for signals");
  }
  return std::unique_ptr<StopSignals>(new StopSignals(std::move(signals), std::move(end)));
}

StopSignals::StopSignals(UniqueFd signals, UniqueFd end)
    : signals_(std::move(signals)), end_(std::move(end)), thread_([this] { Listen(); }) {}

StopSignals::~StopSignals() {
  const uint64_t one = 1;
  // An eventfd that was never written to takes one.
  [[maybe_unused]] const ssize_t written = ::write(end_.get(), &one, sizeof one);
}

void StopSignals::Listen() {
  std::array<pollfd, 2> fds = {{{signals_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  if ((fds[0].revents & POLLIN) != 0) {
    source_.request_stop();
  }
}

}  // namespace oombox
