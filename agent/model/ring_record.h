#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/model/kill.h"

namespace oombox {

enum class SignalKind { kSharer, kCollateral, kAlreadyDying, kInitKilled };

// A SIGKILL beside the marks: bpf/oombox_abi.h says what kinds there are.
struct SignalRecord {
  uint64_t boottime_ns = 0;
  SignalKind kind = SignalKind::kSharer;
  uint32_t episode_tgid = 0;
  uint64_t episode_start_boottime_ns = 0;
  uint32_t sender_tgid = 0;
  std::string sender_comm;
  KilledProcess target;
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
