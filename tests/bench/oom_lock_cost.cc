// How long the kill programs run under oom_lock, by the number of processes in the cgroup that
// fires and elsewhere. Makes real OOM kills in a cgroup of its own. The programs measure themselves
// (oombox_kill_counters.run_ns); what is printed is their run time per kill, as JSON lines.
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "tools/memhog/cgroup.h"

namespace oombox {
namespace {

// Room for what `tasks` idle processes are charged: page tables, kernel stacks.
uint64_t Limit(int tasks) { return (512ULL << 20) + static_cast<uint64_t>(tasks) * (256ULL << 10); }

// Enough for a median that says the same twice.
constexpr int kKills = 21;

void Join(const std::string& procs_file) { std::ofstream(procs_file) << "0"; }

[[noreturn]] void Idle() {
  for (;;) {
    pause();
  }
}

// `tasks` processes that wait, below one that was started after the programs were attached: so
// their command lines are known, and are part of what a kill costs. -1: it did not start.
pid_t StartIdle(const char* self, int tasks, const std::string& procs_file) {
  int ready[2];
  if (pipe(ready) != 0) {
    return -1;
  }
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!procs_file.empty()) {
      Join(procs_file);
    }
    dup2(ready[1], STDOUT_FILENO);
    execl(self, self, "--idle", std::to_string(tasks).c_str(), nullptr);
    _exit(127);
  }
  close(ready[1]);
  char byte = 0;
  const bool started = read(ready[0], &byte, 1) == 1;
  close(ready[0]);
  return started ? pid : -1;
}

// The first of `tasks` processes; says when all are there.
int RunIdle(int tasks) {
  for (int i = 1; i < tasks; ++i) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      Idle();
    }
  }
  return write(STDOUT_FILENO, "", 1) == 1 ? (Idle(), 0) : 1;
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

void Stop(pid_t idle) {
  if (idle == 0) {
    return;
  }
  kill(idle, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0) {  // its children are this process's now
  }
}

int Measure(const char* self, const KillProbe& probe, const Hierarchy& hierarchy, int tasks,
            bool inside) {
  auto cgroup = Cgroup::Create(hierarchy, hierarchy.own_path,
                               fmt::format("oombox-bench-{}-{}", getpid(), tasks), Limit(tasks));
  if (!cgroup) {
    std::fprintf(stderr, "oom_lock_cost: %s\n", cgroup.error().message.c_str());
    return 1;
  }
  const pid_t idle =
      tasks == 1 ? 0 : StartIdle(self, tasks - 1, inside ? (*cgroup)->ProcsFile() : "");
  if (idle < 0) {
    std::fprintf(stderr, "oom_lock_cost: cannot start %d processes\n", tasks);
    return 1;
  }
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

int Main(const char* self) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto probe = KillProbe::Load({});
  const auto hierarchy = FindOwnHierarchy();
  if (!probe || !hierarchy) {
    std::printf("OOMBOX-SKIP: %s\n", (!probe ? probe.error() : hierarchy.error()).message.c_str());
    return 0;
  }
  for (const int tasks : {1, 10, 100, 1000, 10000}) {
    if (Measure(self, **probe, *hierarchy, tasks, true) != 0 ||
        Measure(self, **probe, *hierarchy, tasks, false) != 0) {
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace oombox

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--idle") {
    return oombox::RunIdle(std::atoi(argv[2]));
  }
  return oombox::Main("/proc/self/exe");
}
