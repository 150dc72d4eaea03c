#include "agent/last_seen.h"

#include <fmt/format.h>

#include <fstream>

#include "agent/common/replace_file.h"
#include "agent/store/journal_id.h"

namespace oombox {

Result<std::optional<LastSeen>> ReadLastSeen(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) {
    return std::optional<LastSeen>();
  }
  LastSeen seen;
  if (!(file >> seen.boot_id >> seen.kernel_kills >> seen.journal_id >> seen.wall_ns)) {
    return MakeError(ErrorCode::kCorrupt, "{} is damaged", path);
  }
  if (!(file >> seen.boottime_ns)) {
    seen.boottime_ns = 0;
  }
  if (int stopped = 0; file >> stopped) {
    seen.stopped = stopped != 0;
  }
  return std::optional(std::move(seen));
}

Status WriteLastSeen(const std::string& path, const LastSeen& seen) {
  return ReplaceFile(
      path, fmt::format("{} {} {} {} {} {}\n", seen.boot_id, seen.kernel_kills, seen.journal_id,
                        seen.wall_ns, seen.boottime_ns, seen.stopped ? 1 : 0));
}

namespace {

// A node that is drained and rebooted stops its agent last, and its firmware takes minutes. Not by
// a clock that says it came up before the agent was stopped: it may have been down for any time.
bool WentDownSoon(const LastSeen& before, const LastSeen& now) {
  constexpr int64_t kSoonNs = int64_t{10} * 60 * 1'000'000'000;
  const int64_t booted_wall_ns = now.wall_ns - static_cast<int64_t>(now.boottime_ns);
  return booted_wall_ns >= before.wall_ns && booted_wall_ns - before.wall_ns < kSoonNs;
}

}  // namespace

std::optional<Gap> GapBetween(const LastSeen& before, const LastSeen& now) {
  Gap gap{.cause = v1::GapEvent::CAUSE_NOT_RUNNING,
          .start_wall_ns = before.wall_ns,
          .end_wall_ns = now.wall_ns,
          .key = fmt::format("{}/{}", before.boot_id, before.wall_ns)};
  if (before.boot_id != now.boot_id) {
    if (now.kernel_kills > 0) {
      gap.count = now.kernel_kills;
    } else if (before.stopped && WentDownSoon(before, now)) {
      return std::nullopt;
    }
    gap.detail =
        "no agent was attached when this boot began; kills at the end of the earlier boot are "
        "unknown";
    return gap;
  }
  const uint64_t captured = KillsBetween(before.journal_id, now.journal_id);
  const uint64_t counted =
      now.kernel_kills > before.kernel_kills ? now.kernel_kills - before.kernel_kills : 0;
  if (counted <= captured) {
    return std::nullopt;
  }
  gap.count = counted - captured;
  gap.detail = "the kernel killed while no agent was attached";
  return gap;
}

}  // namespace oombox
