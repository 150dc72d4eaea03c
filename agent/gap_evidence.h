#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/capture/cgroup_kills.h"
#include "agent/capture/kernel_log.h"
#include "agent/model/logged_kill.h"

namespace oombox {

// What else knows of kills that were missed: the kernel log, and the cgroups' own counters since
// both counts agreed last. Both may know nothing. Not thread-safe.
class GapEvidence {
 public:
  struct Sources {
    std::optional<KernelLog> log;
    std::string boot_id;
    std::string cgroup_kills_path;  // where the counters are kept across restarts
  };
  explicit GapEvidence(Sources sources);

  std::vector<LoggedKill> Logged(uint64_t from_boottime_ns, uint64_t to_boottime_ns);
  // Kills by cgroup since the last agreement, captured or not.
  std::vector<CgroupKills> Grown() const;

  // The kernel has counted `kernel_kills` and all are accounted for. Reads the counters only when
  // that number has changed.
  void NoteAgreement(uint64_t kernel_kills);

 private:
  Sources sources_;
  std::optional<MemoryHierarchy> hierarchy_;
  std::optional<CgroupKillMap> agreed_;
  std::optional<uint64_t> agreed_kernel_kills_;
};

}  // namespace oombox
