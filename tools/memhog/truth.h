#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/memhog/process_facts.h"

namespace oombox {

// What really happened, told by the one who made it happen.
struct CgroupTruth {
  std::string path;
  uint64_t id = 0;
  uint64_t limit_bytes = 0;
  bool swap_disabled = false;
  std::optional<uint64_t> oom_kill_before;
  std::optional<uint64_t> oom_kill_after;
  std::optional<uint64_t> oom_before;
  std::optional<uint64_t> oom_after;
};

struct ProcessTruth {
  std::string role;
  ProcessFacts facts;
  uint64_t cgroup_id = 0;
  uint64_t touched_bytes = 0;
  int wait_status = 0;  // as waitpid() tells it
  bool expect_kill = false;

  bool WasSigkilled() const;
};

struct Truth {
  std::string scenario;
  int cgroup_version = 0;
  std::vector<CgroupTruth> cgroups;
  std::vector<ProcessTruth> processes;
  int64_t start_wall_ns = 0;
  uint64_t start_boottime_ns = 0;
  int64_t end_wall_ns = 0;
  uint64_t end_boottime_ns = 0;

  uint64_t ExpectedKills() const;
  uint64_t ObservedKills() const;
  // Every process met its expected end.
  bool AsPlanned() const;
};

// One JSON object on one line. A comm is given twice: escaped as oombox escapes it, and as hex.
std::string ToJson(const Truth& truth);

}  // namespace oombox
