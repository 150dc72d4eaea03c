#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/memhog/board.h"

namespace oombox {

// What a worker does once it is told to go.
enum class Job {
  kGrow,    // touch memory, page by page, until it is killed or `bytes` are reached
  kHold,    // touch `bytes`, then wait to be told to quit
  kFork,    // start `child`, wait for its end, then wait to be told to quit
  kExec,    // become `command`
  kTmpfs,   // as kGrow, but a file in shared memory, which nobody maps
  kLeave,   // start a thread that does kGrow, and end the thread group's leader
  kTasks,   // touch `bytes` as stacks, then start idle threads on them: the kernel's memory grows
  kThrash,  // run code of `bytes` of a file in `directory` for `seconds`, then wait to be told to
            // quit
  kSend,    // write to sockets that nobody reads: the kernel's memory grows
};

// A process to be started. Everything it needs is made before the fork.
struct WorkerSpec {
  std::string role;
  Job job = Job::kGrow;
  uint64_t bytes = 0;
  uint64_t step_bytes = 0;
  std::string comm;  // raw bytes, empty = unchanged
  std::optional<uid_t> uid;
  std::optional<int> oom_score_adj;
  bool pid_namespace = false;
  std::optional<uint32_t> bind_node;  // NUMA node that its memory comes from
  size_t threads = 0;                 // idle ones, started before the job
  size_t children = 0;                // idle processes, started before the job, that end with it
  bool sharer = false;                // one more process with the same memory (CLONE_VM), idle
  std::vector<std::string> command;
  std::string directory;
  int seconds = 0;

  std::string procs_file;  // cgroup.procs of its cgroup
  int channel = -1;        // its end
  Slot* slot = nullptr;
  const WorkerSpec* child = nullptr;
};

// fork() into the spec's pid namespace. The child runs the spec and never returns; it is killed
// when its parent dies. Returns the child's pid, -1 with errno set on failure.
pid_t Spawn(const WorkerSpec& spec);

}  // namespace oombox
