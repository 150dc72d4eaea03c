// How long the kill programs run under oom_lock, by the number of processes in the cgroup that
// fires and elsewhere. Makes real OOM kills in a cgroup of its own. The programs measure themselves
// (oombox_kill_counters.run_ns); what is printed is their run time per kill, as JSON lines.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "tools/memhog/cgroup.h"

namespace oombox {
namespace {

constexpr uint64_t kLimit = 512ULL << 20;
constexpr int kKills = 5;

void Join(const std::string& procs_file) { std::ofstream(procs_file) << "0"; }

pid_t StartIdle(const std::string& procs_file) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!procs_file.empty()) {
      Join(procs_file);
    }
    for (;;) {
      pause();
    }
  }
  return pid;
}

// Grows in the cgroup until the kernel kills it.
void KillOne(const std::string& procs_file) {
  const pid_t pid = fork();
  if (pid == 0) {
    std::ofstream("/proc/self/oom_score_adj") << "1000";
    Join(procs_file);
    for (;;) {
      constexpr size_t kStep = 8 << 20;
      void* memory =
          mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::memset(memory, 1, kStep);
    }
  }
  waitpid(pid, nullptr, 0);
}

void Stop(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    kill(pid, SIGKILL);
  }
  for (const pid_t pid : pids) {
    waitpid(pid, nullptr, 0);
  }
}

int Measure(const KillProbe& probe, const Hierarchy& hierarchy, int tasks, bool inside) {
  auto cgroup = Cgroup::Create(hierarchy, hierarchy.own_path,
                               fmt::format("oombox-bench-{}-{}", getpid(), tasks), kLimit);
  if (!cgroup) {
    std::fprintf(stderr, "oom_lock_cost: %s\n", cgroup.error().message.c_str());
    return 1;
  }
  std::vector<pid_t> idle;
  for (int i = 1; i < tasks; ++i) {
    idle.push_back(StartIdle(inside ? (*cgroup)->ProcsFile() : ""));
  }
  usleep(200'000);  // let the last ones arrive; exactness does not matter here
  std::vector<double> costs;
  for (int i = 0; i < kKills; ++i) {
    const oombox_kill_counters before = probe.Counters();
    KillOne((*cgroup)->ProcsFile());
    const oombox_kill_counters after = probe.Counters();
    if (const uint64_t made = after.kills - before.kills; made > 0) {
      costs.push_back(static_cast<double>(after.run_ns - before.run_ns) / 1000.0 /
                      static_cast<double>(made));
    }
  }
  Stop(idle);
  std::sort(costs.begin(), costs.end());
  if (costs.empty()) {
    return 1;
  }
  std::printf(
      "{\"tasks\": %d, \"where\": \"%s\", \"kills\": %zu, \"median_us\": %.1f, \"max_us\": %.1f}\n",
      tasks, inside ? "in the cgroup" : "elsewhere", costs.size(), costs[costs.size() / 2],
      costs.back());
  std::fflush(stdout);
  return 0;
}

int Main() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto probe = KillProbe::Load({});
  const auto hierarchy = FindOwnHierarchy();
  if (!probe || !hierarchy) {
    std::printf("OOMBOX-SKIP: %s\n", (!probe ? probe.error() : hierarchy.error()).message.c_str());
    return 0;
  }
  for (const int tasks : {1, 10, 100, 1000, 10000}) {
    if (Measure(**probe, *hierarchy, tasks, true) != 0 ||
        Measure(**probe, *hierarchy, tasks, false) != 0) {
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace oombox

int main() { return oombox::Main(); }
