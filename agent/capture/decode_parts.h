#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "agent/model/kill.h"
#include "bpf/oombox_abi.h"

// What the decoders of all record versions share.
namespace oombox {

std::string Comm(const char (&comm)[OOMBOX_COMM_LEN]);
ProcessPages DecodeMemory(const oombox_memory& in);
// Absent: no limit.
std::optional<uint64_t> Limit(uint64_t pages);
// The biggest first.
void SortByWeight(std::vector<KilledProcess>& users);

// What the heads of all versions have by the same names: all but the victim.
template <typename Record>
void DecodeHead(const Record& in, KillRecord& out) {
  out.version = in.header.version;
  out.boottime_ns = in.header.boottime_ns;
  out.episode_tgid = in.episode_tgid;
  out.episode_start_boottime_ns = in.episode_start_boottime_ns;
  out.group_member = (in.flags & OOMBOX_KILL_GROUP_MEMBER) != 0;
  out.cgroup_v1 = (in.flags & OOMBOX_KILL_CGROUP_V1) != 0;
  out.rss_per_cpu = (in.flags & OOMBOX_KILL_RSS_PERCPU) != 0;
  out.memcg_known = (in.flags & OOMBOX_KILL_NO_MEMCG) == 0;
  out.kills_group = (in.flags & OOMBOX_KILL_GROUP) != 0;
  out.trigger_outside = (in.flags & OOMBOX_KILL_TRIGGER_OUTSIDE) != 0;
  out.levels_cut = (in.flags & OOMBOX_KILL_LEVELS_CUT) != 0;
  out.parent_tgid = in.parent_tgid;
  out.parent_comm = Comm(in.parent_comm);
  out.trigger_tgid = in.trigger_tgid;
  out.trigger_tid = in.trigger_tid;
  out.trigger_comm = Comm(in.trigger_comm);
}

// An array in a record: each element is as long as its writer thought, what it did not know is 0.
template <typename T>
Result<std::vector<T>> ReadPart(std::string_view record, const oombox_part& part,
                                size_t max_count) {
  std::vector<T> out;
  const size_t end = size_t{part.offset} + size_t{part.size} * part.count;
  if (part.count == 0) {
    return out;
  }
  if (part.count > max_count || part.size == 0 || end > record.size()) {
    return MakeError(ErrorCode::kCorrupt, "kill record: a part lies outside of the record");
  }
  for (size_t i = 0; i < part.count; ++i) {
    T& element = out.emplace_back();
    std::memset(&element, 0, sizeof element);
    std::memcpy(&element, record.data() + part.offset + i * part.size,
                std::min<size_t>(sizeof element, part.size));
  }
  return out;
}

}  // namespace oombox
