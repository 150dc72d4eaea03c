#include "agent/capture/decode_v1.h"

#include <cstddef>
#include <cstring>

#include "agent/capture/decode_parts.h"
#include "bpf/oombox_abi_v1.h"

namespace oombox {

namespace {

constexpr size_t kFixedSize = offsetof(oombox_kill_record_v1, names);

KilledProcess Decode(const oombox_process_v1& in) {
  KilledProcess out{.tgid = in.tgid,
                    .tid = in.tid,
                    .namespace_pid = in.namespace_pid,
                    .uid = in.uid,
                    .oom_score_adj = in.oom_score_adj,
                    .start_boottime_ns = in.start_boottime_ns,
                    .cgroup_id = in.cgroup_id,
                    .memory = std::nullopt,
                    .comm = Comm(in.comm)};
  if ((in.flags & OOMBOX_PROCESS_NO_MM) == 0) {
    out.memory = DecodeMemory(in.memory);
  }
  return out;
}

Result<CgroupPages> Decode(const oombox_cgroup_v1& in, std::string_view names) {
  CgroupPages out{.id = in.id,
                  .name = std::nullopt,
                  .usage = in.usage_pages,
                  .max = Limit(in.max_pages),
                  .high = Limit(in.high_pages),
                  .low = in.low_pages,
                  .min = in.min_pages,
                  .swap_usage = in.swap_usage_pages,
                  .swap_max = Limit(in.swap_max_pages),
                  .oom_group = (in.flags & OOMBOX_CGROUP_OOM_GROUP) != 0};
  if ((in.flags & OOMBOX_CGROUP_NAME_CUT) == 0) {
    if (size_t{in.name_offset} + in.name_len > names.size()) {
      return MakeError(ErrorCode::kCorrupt,
                       "kill record: a cgroup name lies outside of the record");
    }
    out.name = names.substr(in.name_offset, in.name_len);
  }
  return out;
}

Status DecodeLevels(const oombox_kill_record_v1& in, std::string_view names, KillRecord& out) {
  for (uint32_t i = 0; i < in.level_count; ++i) {
    OOMBOX_TRY(CgroupPages level, Decode(in.levels[i], names));
    out.levels.push_back(std::move(level));
  }
  if (in.fired_level < in.level_count) {
    out.inferred_level = in.fired_level;
    out.fired_level = in.fired_level;
    out.walked_cgroup_id = out.levels[in.fired_level].id;
  }
  return {};
}

void DecodeUsers(const oombox_kill_record_v1& in, KillRecord& out) {
  out.ranked = (in.flags & OOMBOX_KILL_NO_WALK) == 0;
  out.rank_braked = (in.flags & OOMBOX_KILL_WALK_BRAKED) != 0;
  out.rank_cut = (in.flags & (OOMBOX_KILL_WALK_CUT | OOMBOX_KILL_WALK_RACED)) != 0;
  for (uint32_t i = 0; i < in.user_count; ++i) {
    out.users.push_back(Decode(in.users[i]));
  }
  SortByWeight(out.users);
  out.walk_threads = in.walk_threads;
  out.walk_processes = in.walk_processes;
  out.walk_total = DecodeMemory(in.walk_total);
}

}  // namespace

Result<KillRecord> DecodeKillV1(std::string_view bytes) {
  if (bytes.size() < kFixedSize || bytes.size() > sizeof(oombox_kill_record_v1)) {
    return MakeError(ErrorCode::kCorrupt, "kill record of version 1 has {} bytes", bytes.size());
  }
  oombox_kill_record_v1 in{};
  std::memcpy(&in, bytes.data(), bytes.size());
  const std::string_view names(in.names, bytes.size() - kFixedSize);
  if (in.names_len != names.size() || in.level_count > OOMBOX_MAX_LEVELS ||
      in.user_count > OOMBOX_MAX_USERS) {
    return MakeError(ErrorCode::kCorrupt, "kill record: a count is out of range");
  }

  KillRecord out;
  DecodeHead(in, out);
  out.victim = Decode(in.victim);
  OOMBOX_RETURN_IF_ERROR(DecodeLevels(in, names, out));
  DecodeUsers(in, out);
  return out;
}

}  // namespace oombox
