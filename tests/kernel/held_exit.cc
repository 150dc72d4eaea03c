// held-exit PROCS COMMAND...: runs a command in the cgroup of that cgroup.procs ("-": in its own),
// and stops it in its exit while it still has its memory (PTRACE_EVENT_EXIT comes before exit_mm()
// in do_exit(), also after a SIGKILL): a victim that is slow to die. It ends when this is killed.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

bool Enter(const char* procs) {
  if (std::strcmp(procs, "-") == 0) {
    return true;
  }
  const int fd = open(procs, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write(fd, "0", 1) == 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: held-exit PROCS COMMAND...\n", stderr);
    return 2;
  }
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);  // until it is traced
    if (Enter(argv[1])) {
      execvp(argv[2], argv + 2);
    }
    std::perror(argv[1]);
    _exit(1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, WUNTRACED) != child ||
      ptrace(PTRACE_SEIZE, child, nullptr, PTRACE_O_TRACEEXIT) != 0 || kill(child, SIGCONT) != 0) {
    std::perror("held-exit");
    return 1;
  }
  while (waitpid(child, &status, __WALL) == child) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      return 0;
    }
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXIT) {
      std::puts("held");
      std::fflush(stdout);
    } else if (event == PTRACE_EVENT_STOP) {
      ptrace(PTRACE_CONT, child, nullptr, 0);
    } else {
      ptrace(PTRACE_CONT, child, nullptr, WSTOPSIG(status));
    }
  }
  std::perror("waitpid");
  return 1;
}
