#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>

#include "tools/memhog/cgroup.h"
#include "tools/memhog/files.h"

// Real reclaim, made on purpose in a cgroup with a limit.
namespace oombox {

// Touches so much memory and lets the kernel take it back (MADV_FREE): it does when the limit is
// reached, page by page, without a disk and without a kill.
inline bool TouchReclaimable(uint64_t bytes) {
  constexpr uint64_t kStep = 256 << 10;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) != 0) {
    return false;
  }
  for (uint64_t done = 0; done < bytes; done += kStep) {
    void* step = static_cast<char*>(memory) + done;
    const size_t size = std::min(kStep, bytes - done);
    std::memset(step, 1, size);
    if (madvise(step, size, MADV_FREE) != 0) {
      return false;
    }
  }
  return munmap(memory, bytes) == 0;
}

// A process of its own in `cgroup`, at work; -1: it could not be started.
inline pid_t StartIn(const Cgroup& cgroup, const std::function<bool()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(WriteSmallFile(cgroup.ProcsFile(), "0") && work() ? 0 : 1);
  }
  return pid;
}

inline bool EndedWell(pid_t pid) {
  int status = 0;
  return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace oombox
