// oombox-agent: reads its settings, starts the agent, waits for a signal, stops it.
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>

#include "agent/agent.h"
#include "agent/common/log.h"
#include "agent/common/unique_fd.h"
#include "agent/config.h"
#include "agent/probe_report.h"

namespace oombox {
namespace {

int Code(ExitCode code) { return static_cast<int>(code); }

// Blocks the signals for every thread that is started later; they are read here instead.
UniqueFd BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

// Returns how to exit.
ExitCode WaitForStop(const UniqueFd& signals, const Agent& agent) {
  constexpr int kLookMs = 1000;
  while (!agent.damaged()) {
    pollfd waited{.fd = signals.get(), .events = POLLIN, .revents = 0};
    signalfd_siginfo info{};
    if (poll(&waited, 1, kLookMs) > 0 && ::read(signals.get(), &info, sizeof info) == sizeof info &&
        info.ssi_signo != static_cast<uint32_t>(SIGHUP)) {  // nothing to reload
      spdlog::info("stopping, signal {}", info.ssi_signo);
      return ExitCode::kOk;
    }
  }
  spdlog::error("stopping, a file in the state folder is damaged: start again");
  return ExitCode::kDamaged;
}

int Probe(const AgentConfig& config) {
  const auto report = ProbeReport(config);
  if (!report) {
    spdlog::error("no kill can be recorded here: {}", report.error().message);
    return Code(report.error().exit_code);
  }
  std::fputs(report->c_str(), stdout);
  return Code(ExitCode::kOk);
}

int Main(int argc, const char* const* argv) {
  AgentConfig config;
  const auto outcome = LoadAgentConfig(config, argc, argv);
  if (!outcome) {
    std::fprintf(stderr, "oombox-agent: %s\n", outcome.error().message.c_str());
    return Code(ExitCode::kUsage);
  }
  if (*outcome == ConfigOutcome::kPrinted) {
    return Code(ExitCode::kOk);
  }
  if (const auto log = SetUpLog("oombox-agent", config.log_format, config.log_level); !log) {
    std::fprintf(stderr, "oombox-agent: %s\n", log.error().message.c_str());
    return Code(ExitCode::kUsage);
  }
  if (config.probe) {
    return Probe(config);
  }
  if (config.uninstall) {
    const auto gone = Uninstall(config);
    if (!gone) {
      spdlog::error("{}", gone.error().message);
    }
    return Code(gone ? ExitCode::kOk : gone.error().exit_code);
  }
  const UniqueFd signals = BlockSignals();
  if (!signals.valid()) {
    spdlog::error("cannot make a signalfd: too many open files?");
    return Code(ExitCode::kFailure);
  }
  auto agent = Agent::Start(config);
  if (!agent) {
    spdlog::error("{}", agent.error().message);
    return Code(agent.error().exit_code);
  }
  const ExitCode code = WaitForStop(signals, **agent);
  agent->reset();
  spdlog::info("stopped");
  return Code(code);
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) { return oombox::Main(argc, argv); }
