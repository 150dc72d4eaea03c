#include "tests/unit/store/crash_points.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace oombox {

namespace {

// Set in the child before anything runs; SQLite's hooks carry no context.
int calls_left = 0;

void CountDown() {
  if (--calls_left == 0) {
    ::kill(::getpid(), SIGKILL);
  }
}

ssize_t CrashingWrite(int fd, const void* bytes, size_t size, off_t at) {
  CountDown();
  return ::pwrite(fd, bytes, size, at);
}

int CrashingTruncate(int fd, off_t size) {
  CountDown();
  return ::ftruncate(fd, size);
}

int CrashingUnlink(const char* path) {
  CountDown();
  return ::unlink(path);
}

void InstallCrashPoints(int crash_at) {
  calls_left = crash_at;
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  const auto install = [&](const char* name, auto* function) {
    vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(function));
  };
  install("pwrite", &CrashingWrite);
  install("pwrite64", &CrashingWrite);
  install("ftruncate", &CrashingTruncate);
  install("unlink", &CrashingUnlink);
}

std::string ReadAll(int fd) {
  std::string all;
  char buffer[256];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    all.append(buffer, static_cast<size_t>(got));
  }
  return all;
}

}  // namespace

CrashRun RunUntilCrash(int crash_at, const std::function<void(int report_fd)>& child) {
  int ends[2];
  if (::pipe(ends) != 0) {
    return {};
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    InstallCrashPoints(crash_at);
    child(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  CrashRun run;
  run.reported = ReadAll(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  run.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  return run;
}

}  // namespace oombox
