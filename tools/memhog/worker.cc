#include "tools/memhog/worker.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sched.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "tools/memhog/channel.h"
#include "tools/memhog/files.h"

namespace oombox {
namespace {

// A worker that reached its bound alive says so with this exit code.
constexpr int kExitSurvived = 3;
constexpr int kExitFailed = 1;

[[noreturn]] void Fail(const WorkerSpec& spec, const std::string& why) {
  Send(spec.channel, Signal::kFailed, spec.role + ": " + why);
  ::_exit(kExitFailed);
}

void Check(const WorkerSpec& spec, const Status& status) {
  if (!status) {
    Fail(spec, status.error().message);
  }
}

// The cgroup first, the identity last: nothing is charged elsewhere, nothing needs rights it gave
// up.
void TakePlace(const WorkerSpec& spec) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Check(spec, WriteSmallFile(spec.procs_file, "0"));
  if (spec.oom_score_adj) {
    Check(spec, WriteSmallFile("/proc/self/oom_score_adj", std::to_string(*spec.oom_score_adj)));
  }
  if (spec.uid && ::setresuid(*spec.uid, *spec.uid, *spec.uid) != 0) {
    Fail(spec, "setresuid: " + std::string(std::strerror(errno)));
  }
  if (!spec.comm.empty()) {
    ::prctl(PR_SET_NAME, spec.comm.c_str());
  }
  // A change of uid clears it (prctl(2)).
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// Small pages only, so that what was touched is what is resident.
void Touch(const WorkerSpec& spec) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  for (uint64_t done = 0; done < spec.bytes;) {
    const uint64_t step = std::min(spec.step_bytes, spec.bytes - done);
    void* memory =
        ::mmap(nullptr, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      Fail(spec, "mmap: " + std::string(std::strerror(errno)));
    }
    ::madvise(memory, step, MADV_NOHUGEPAGE);
    for (uint64_t offset = 0; offset < step; offset += page) {
      static_cast<volatile char*>(memory)[offset] = 1;
      spec.slot->touched_bytes.fetch_add(std::min(page, step - offset));
    }
    done += step;
  }
}

[[noreturn]] void WaitForQuit(const WorkerSpec& spec) {
  Send(spec.channel, Signal::kDone);
  Receive(spec.channel);
  ::_exit(0);
}

void ForkAndWait(const WorkerSpec& spec) {
  const pid_t child = Spawn(*spec.child);
  if (child < 0) {
    Fail(*spec.child, "clone: " + std::string(std::strerror(errno)));
  }
  ::close(spec.child->channel);
  int status = 0;
  ::waitpid(child, &status, 0);
  spec.slot->child_wait_status = status;
}

[[noreturn]] void Execute(const WorkerSpec& spec) {
  ::dup2(STDERR_FILENO, STDOUT_FILENO);  // stdout is for the report
  std::vector<char*> argv;
  for (const std::string& word : spec.command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  Fail(spec, spec.command[0] + ": " + std::strerror(errno));
}

[[noreturn]] void Run(const WorkerSpec& spec) {
  TakePlace(spec);
  Send(spec.channel, Signal::kReady);
  if (Receive(spec.channel).signal != Signal::kGo) {
    ::_exit(kExitFailed);
  }
  switch (spec.job) {
    case Job::kGrow:
      Touch(spec);
      ::_exit(kExitSurvived);
    case Job::kHold:
      Touch(spec);
      WaitForQuit(spec);
    case Job::kFork:
      ForkAndWait(spec);
      WaitForQuit(spec);
    case Job::kExec:
      Execute(spec);
  }
  ::_exit(kExitFailed);
}

}  // namespace

pid_t Spawn(const WorkerSpec& spec) {
  // The raw call, because fork() cannot make a namespace and unshare() would change every later
  // fork. Safe here: the process has one thread.
  const unsigned long flags = SIGCHLD | (spec.pid_namespace ? CLONE_NEWPID : 0);
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, 0));
  if (pid == 0) {
    Run(spec);
  }
  return pid;
}

}  // namespace oombox
