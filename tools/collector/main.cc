#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "agent/common/log.h"
#include "agent/common/unique_fd.h"
#include "tools/collector/collector.h"

namespace oombox {
namespace {

constexpr int kUsage = 2;
constexpr int kRetainIntervalMs = 60'000;

int ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return kUsage;
    case ErrorCode::kPermission:
      return EX_CANTCREAT;
    case ErrorCode::kUnavailable:
      return EX_TEMPFAIL;
    default:
      return 1;
  }
}

// Before the first thread, so that every thread inherits the mask.
Result<UniqueFd> BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return MakeSystemError(ErrorCode::kInternal, error, "cannot block signals");
  }
  std::signal(SIGPIPE, SIG_IGN);
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    return MakeSystemError(ErrorCode::kInternal, errno, "signalfd");
  }
  return fd;
}

// Every stream of an agent is a file; many systems start programs with room for 1024.
void RaiseFileLimit(int64_t max_agents) {
  constexpr rlim_t kOthers = 256;
  const rlim_t wanted = 2 * static_cast<rlim_t>(max_agents) + kOthers;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
    return;
  }
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    spdlog::warn("{} files may be open, {} agents may need {}: raise the limit (ulimit -Hn)",
                 limit.rlim_cur, max_agents, wanted);
  }
}

int Serve(Collector& collector, int signal_fd) {
  while (true) {
    pollfd waited{signal_fd, POLLIN, 0};
    const int ready = poll(&waited, 1, kRetainIntervalMs);
    if (ready == 0) {
      collector.Retain();
      continue;
    }
    signalfd_siginfo info{};
    if (ready > 0 && read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGHUP) {
        continue;  // nothing to reload: certificates are watched
      }
      spdlog::info("stopping on {}", strsignal(static_cast<int>(info.ssi_signo)));
      return 0;
    }
    if (errno != EINTR && errno != EAGAIN) {
      spdlog::error("waiting for signals failed: {}", std::strerror(errno));
      return 1;
    }
  }
}

int Main(int argc, const char* const* argv) {
  CollectorConfig config;
  const auto outcome = LoadCollectorConfig(config, argc, argv);
  if (!outcome) {
    std::fprintf(stderr, "oombox-collector: %s\n", outcome.error().message.c_str());
    return kUsage;
  }
  if (*outcome == ConfigOutcome::kPrinted) {
    return 0;
  }
  if (const Status log = SetUpLog("oombox-collector", config.log_format, config.log_level); !log) {
    std::fprintf(stderr, "oombox-collector: %s\n", log.error().message.c_str());
    return kUsage;
  }
  const auto signals = BlockSignals();
  if (!signals) {
    spdlog::error("{}", signals.error().message);
    return 1;
  }
  RaiseFileLimit(config.max_agents);
  auto collector = Collector::Start(config);
  if (!collector) {
    spdlog::error("cannot start: {}", collector.error().message);
    return ExitCodeOf(collector.error());
  }
  const int code = Serve(**collector, signals->get());
  collector->reset();
  spdlog::info("stopped");
  return code;
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) { return oombox::Main(argc, argv); }
