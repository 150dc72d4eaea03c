#include "tests/bench/fleet/collector_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "agent/common/unique_fd.h"

extern char** environ;

namespace oombox {

namespace {

// An address of loopback that is this process's own, with a port that is free on it: between two
// starts of the collector nobody else takes it.
std::string OwnAddress() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl((127U << 24) + (1U << 16) + static_cast<uint32_t>(::getpid()));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  char text[INET_ADDRSTRLEN] = {};
  if (::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0 ||
      ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) == nullptr) {
    return {};
  }
  return std::string(text) + ":" + std::to_string(ntohs(address.sin_port));
}

}  // namespace

CollectorProcess::CollectorProcess(std::string program, std::string state_dir, int max_agents)
    : program_(std::move(program)),
      state_dir_(std::move(state_dir)),
      max_agents_(max_agents),
      address_(OwnAddress()) {}

bool CollectorProcess::Start() {
  std::vector<std::string> words = {program_,
                                    "--state-dir",
                                    state_dir_,
                                    "--listen",
                                    address_,
                                    "--max-agents",
                                    std::to_string(max_agents_),
                                    "--log-level",
                                    "warn"};
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  return ::posix_spawn(&pid_, program_.c_str(), nullptr, nullptr, arguments.data(), environ) == 0;
}

void CollectorProcess::Kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

double CollectorProcess::CpuSeconds() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  // After the name, which may contain spaces: state, ppid, ... utime and stime are the 12th and
  // 13th.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) {
    fields >> skipped;
  }
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double CollectorProcess::ResidentMib() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace oombox
