#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/common/result.h"
#include "agent/event/gap.h"

namespace oombox {

// A moment at which the kernel's count of kills and the journal agreed. Kept in a small file, so
// that the next run can tell how many kills nobody watched.
struct LastSeen {
  std::string boot_id;
  uint64_t kernel_kills = 0;  // oom_kill of /proc/vmstat
  int64_t journal_id = 0;     // last entry of the journal
  int64_t wall_ns = 0;
  uint64_t boottime_ns = 0;  // 0: not known (written by version 0.1)
  bool stopped = false;      // the agent ended here as it was told to
};

// Nothing when there is no such file yet; kCorrupt when it is damaged.
Result<std::optional<LastSeen>> ReadLastSeen(const std::string& path);

// Replaces the file in one step. Not synced: what a power cut takes ends with a new boot anyway.
Status WriteLastSeen(const std::string& path, const LastSeen& seen);

// The kills between the two moments that are not in the journal; nothing when all are. Pure.
// In another boot only what that boot counted is known; the end of the earlier one is part of the
// window. Without a count when it counted none, but nobody watched the earlier one to its end: the
// agent was not stopped, or long before the node went down.
std::optional<Gap> GapBetween(const LastSeen& before, const LastSeen& now);

}  // namespace oombox
