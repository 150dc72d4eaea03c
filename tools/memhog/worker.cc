#include "tools/memhog/worker.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sched.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <random>

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
  if (spec.bind_node) {
    const unsigned long nodes = 1UL << *spec.bind_node;
    if (::syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, sizeof nodes * 8) != 0) {
      Fail(spec, "set_mempolicy: " + std::string(std::strerror(errno)));
    }
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

void FillFile(const WorkerSpec& spec) {
  const int file = static_cast<int>(::syscall(SYS_memfd_create, "memhog", 0));
  const std::vector<char> chunk(64 << 10, 'x');
  while (file >= 0 && spec.slot->touched_bytes < spec.bytes) {
    const ssize_t written = ::write(file, chunk.data(), chunk.size());
    if (written < 0) {
      break;
    }
    spec.slot->touched_bytes.fetch_add(static_cast<uint64_t>(written));
  }
  Fail(spec, "shared memory: " + std::string(std::strerror(errno)));
}

// Data that waits in a socket is charged to its sender (unix(7) sockets allocate with
// GFP_KERNEL_ACCOUNT, net/unix/af_unix.c).
void FillSockets(const WorkerSpec& spec) {
  const std::vector<char> chunk(32 << 10, 'x');
  int ends[2];
  while (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0) {
    while (::write(ends[0], chunk.data(), chunk.size()) > 0) {
    }
  }
  Fail(spec, "socketpair: " + std::string(std::strerror(errno)));
}

int MakeProgramFile(const WorkerSpec& spec) {
  const int file = ::open(spec.directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    Fail(spec, spec.directory + ": " + std::strerror(errno) + "; --directory names one on a disk");
  }
  const std::vector<char> chunk(64 << 10, 'x');  // small: it is anonymous memory meanwhile
  constexpr uint64_t kSyncEvery = 4 << 20;
  for (uint64_t done = 0; done < spec.bytes;) {
    const ssize_t written = ::write(file, chunk.data(), chunk.size());
    done += chunk.size();
    // On the disk soon: pages that wait to be written cannot be taken back.
    const bool sync = done % kSyncEvery == 0 || done >= spec.bytes;
    if (written != static_cast<ssize_t>(chunk.size()) || (sync && ::fdatasync(file) != 0)) {
      Fail(spec, spec.directory + ": " + std::strerror(errno));
    }
  }
  return file;
}

// Pages of code that are in use, which the kernel takes back all the same, and which come from the
// disk again: time is lost, memory is found, nobody is killed.
void Thrash(const WorkerSpec& spec) {
  const int file = MakeProgramFile(spec);
  const auto* code = static_cast<const volatile char*>(
      ::mmap(nullptr, spec.bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0));
  if (code == MAP_FAILED) {
    Fail(spec,
         "mmap: " + std::string(std::strerror(errno)) + "; --directory must not be mounted noexec");
  }
  // One page at a time comes from the disk, as where code jumps.
  ::madvise(const_cast<char*>(code), spec.bytes, MADV_RANDOM);
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::minstd_rand random;
  std::uniform_int_distribution<uint64_t> some_page(0, spec.bytes / page - 1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(spec.seconds);
  while (std::chrono::steady_clock::now() < end) {
    (void)code[some_page(random) * page];
    spec.slot->touched_bytes.fetch_add(page);
  }
}

// Who keeps a worker company, counted in memory that all share: none may still be mapping its code
// while the kernel counts what somebody is killed for.
std::atomic<size_t>* settled = nullptr;

// Until Linux 6.2 each task keeps what it has mapped to itself and adds it to its process's
// counters every 64 faults and when it exits (SPLIT_RSS_COUNTING, mm/memory.c): one that is killed
// first would add it between the mark and the kernel's line. Reads of pages that nobody wrote are
// faults that map the zero page, which is not counted.
void SettleCounters() {
  constexpr size_t kFaults = 128;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* zeroes = ::mmap(nullptr, kFaults * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (zeroes == MAP_FAILED) {
    return;
  }
  ::madvise(zeroes, kFaults * page, MADV_NOHUGEPAGE);
  for (size_t at = 0; at < kFaults * page; at += page) {
    (void)static_cast<const volatile char*>(zeroes)[at];
  }
  ::munmap(zeroes, kFaults * page);
}

// Blocks until the process is killed: an idle thread or process must not use memory meanwhile.
[[noreturn]] void Idle() {
  ::poll(nullptr, 0, 0);  // its code is mapped now
  SettleCounters();
  settled->fetch_add(1);
  while (true) {
    ::poll(nullptr, 0, -1);
  }
}

void StartThreads(const WorkerSpec& spec) {
  for (size_t i = 0; i < spec.threads; ++i) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_t thread = 0;
    const int error = pthread_create(
        &thread, &small, [](void*) -> void* { Idle(); }, nullptr);
    if (error != 0) {
      Fail(spec, "pthread_create: " + std::string(std::strerror(error)));
    }
  }
}

int IdleTask(void* /*unused*/) {
  while (true) {
    ::poll(nullptr, 0, -1);
  }
}

// Their stacks are there already, so that only the kernel asks for memory: task_struct, kernel
// stack.
void FillWithTasks(const WorkerSpec& spec) {
  constexpr uint64_t kStackBytes = 4096;
  constexpr int kThread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  ::poll(nullptr, 0, 0);  // its code is mapped now
  auto* stacks = static_cast<char*>(
      ::mmap(nullptr, spec.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (stacks == MAP_FAILED) {
    Fail(spec, "mmap: " + std::string(std::strerror(errno)));
  }
  ::madvise(stacks, spec.bytes, MADV_NOHUGEPAGE);
  for (uint64_t at = 0; at < spec.bytes; at += kStackBytes) {
    stacks[at] = 1;
    spec.slot->touched_bytes.fetch_add(kStackBytes);
  }
  for (uint64_t at = kStackBytes; at <= spec.bytes; at += kStackBytes) {
    if (::clone(IdleTask, stacks + at, kThread, nullptr) < 0) {
      Fail(spec, "clone: " + std::string(std::strerror(errno)));
    }
  }
}

void StartChildren(const WorkerSpec& spec) {
  for (size_t i = 0; i < spec.children; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(spec.channel);
      ::prctl(PR_SET_NAME, "idle");
      Idle();
    }
    if (child < 0) {
      Fail(spec, "fork: " + std::string(std::strerror(errno)));
    }
  }
}

int IdleSharer(void* /*unused*/) {
  ::prctl(PR_SET_NAME, "sharer");
  Idle();
}

void StartSharer(const WorkerSpec& spec) {
  constexpr size_t kStackBytes = 64 << 10;
  auto* stack = static_cast<char*>(
      ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (stack == MAP_FAILED ||
      ::clone(IdleSharer, stack + kStackBytes, CLONE_VM | SIGCHLD, nullptr) < 0) {
    Fail(spec, "clone with CLONE_VM: " + std::string(std::strerror(errno)));
  }
}

void StartCompany(const WorkerSpec& spec) {
  void* shared = ::mmap(nullptr, sizeof(std::atomic<size_t>), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    Fail(spec, "mmap: " + std::string(std::strerror(errno)));
  }
  settled = new (shared) std::atomic<size_t>(0);
  StartThreads(spec);
  StartChildren(spec);
  if (spec.sharer) {
    StartSharer(spec);
  }
  while (settled->load() < spec.threads + spec.children + (spec.sharer ? 1 : 0)) {
    ::usleep(1000);
  }
}

[[noreturn]] void Leave(const WorkerSpec& spec) {
  pthread_t thread = 0;
  pthread_create(
      &thread, nullptr,
      [](void* argument) -> void* {
        Touch(*static_cast<const WorkerSpec*>(argument));
        ::_exit(kExitSurvived);
      },
      const_cast<WorkerSpec*>(&spec));
  ::syscall(SYS_exit, 0);  // of this thread alone
  ::_exit(kExitFailed);
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
  StartCompany(spec);
  switch (spec.job) {
    case Job::kTmpfs:
      FillFile(spec);
      ::_exit(kExitSurvived);
    case Job::kTasks:
      FillWithTasks(spec);
      ::_exit(kExitSurvived);
    case Job::kSend:
      FillSockets(spec);
      ::_exit(kExitSurvived);
    case Job::kLeave:
      Leave(spec);
    case Job::kGrow:
      Touch(spec);
      ::_exit(kExitSurvived);
    case Job::kHold:
      Touch(spec);
      WaitForQuit(spec);
    case Job::kThrash:
      Thrash(spec);
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
