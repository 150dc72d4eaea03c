#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/model/kill.h"

namespace oombox {

enum class SignalKind { kSharer, kCollateral, kAlreadyDying, kInitKilled, kNoVictim };

// A SIGKILL beside the marks: bpf/oombox_abi.h says what kinds there are.
struct SignalRecord {
  uint64_t boottime_ns = 0;
  SignalKind kind = SignalKind::kSharer;
  uint32_t episode_tgid = 0;
  uint64_t episode_start_boottime_ns = 0;
  uint32_t sender_tgid = 0;
  std::string sender_comm;
  uint64_t sender_cgroup_id = 0;
  // The last two names of the memory cgroup's path: "pod/container".
  std::string sender_cgroup_tail;
  KilledProcess target;
  std::string target_cgroup_tail;
};

// What a victim was started as.
struct CmdlineRecord {
  uint64_t boottime_ns = 0;
  uint32_t tgid = 0;
  uint64_t start_boottime_ns = 0;
  uint32_t episode_tgid = 0;
  uint64_t episode_start_boottime_ns = 0;
  bool cut = false;
  std::vector<std::string> arguments;
};

// One record of the kill ring.
using RingRecord = std::variant<KillRecord, SignalRecord, CmdlineRecord>;

}  // namespace oombox
