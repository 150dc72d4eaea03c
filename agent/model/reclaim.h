#pragma once

#include <cstdint>
#include <map>

#include "agent/common/result.h"

namespace oombox {

// Direct reclaim that was done because of one memory cgroup's limit, since it was first seen. Times
// are sums over all tasks.
struct ReclaimCounts {
  uint64_t count = 0;
  uint64_t stall_ns = 0;
  uint64_t longest_ns = 0;  // of two that end at once, one may be missed
  uint64_t reclaimed_pages = 0;
  uint64_t usage_pages = 0;      // of the cgroup when the last one began; 0 for the node
  uint64_t usage_max_pages = 0;  // the highest of those
  uint64_t last_boottime_ns = 0;

  bool operator==(const ReclaimCounts&) const = default;
};

// What the kernel's tracepoints tell of reclaim. Thread-safe.
class ReclaimSource {
 public:
  // Key of Read's map: reclaim for want of free memory on the node, not because of a limit.
  static constexpr uint64_t kNode = 0;

  struct Health {
    // The kernel names the cgroup that is reclaimed from (since Linux 7.2); else it is the cgroup
    // of the task that reclaims, and the limit may be that of one above it.
    bool names_target = false;
    uint64_t reclaims = 0;
    uint64_t lost = 0;  // could not be timed, or not be told apart: maps were full, program skipped
    uint64_t run_ns = 0;  // spent in the programs
    bool disarmed = false;
  };

  virtual ~ReclaimSource() = default;

  virtual Health health() const = 0;
  // Grows with every reclaim: nothing has to be read while it stands still. Cheap.
  virtual uint64_t Changes() const = 0;
  // By cgroup id (kernfs node id).
  virtual Result<std::map<uint64_t, ReclaimCounts>> Read() const = 0;
  // The cgroup is gone.
  virtual void Forget(uint64_t cgroup_id) = 0;
  // Ends the recording at once, because it costs too much, or begins it again. Needs no capability.
  virtual void Arm(bool armed) = 0;
};

}  // namespace oombox
