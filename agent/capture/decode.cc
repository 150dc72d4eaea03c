#include "agent/capture/decode.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "bpf/oombox_abi.h"

namespace oombox {

namespace {

// PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE; no machine has this many pages.
constexpr uint64_t kNoLimitPages = 1ULL << 46;

constexpr size_t kFixedSize = offsetof(oombox_kill_record, names);

std::string Comm(const char (&comm)[OOMBOX_COMM_LEN]) {
  return {comm, strnlen(comm, OOMBOX_COMM_LEN)};
}

ProcessPages Decode(const oombox_memory& in) {
  return {.anon = in.anon_pages,
          .file = in.file_pages,
          .shmem = in.shmem_pages,
          .swap = in.swap_pages,
          .page_tables_bytes = in.page_tables_bytes,
          .total_vm = in.total_vm_pages};
}

KilledProcess Decode(const oombox_process& in) {
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
    out.memory = Decode(in.memory);
  }
  return out;
}

std::optional<uint64_t> Limit(uint64_t pages) {
  return pages >= kNoLimitPages ? std::nullopt : std::optional(pages);
}

Result<CgroupPages> Decode(const oombox_cgroup& in, std::string_view names) {
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

Status DecodeLevels(const oombox_kill_record& in, std::string_view names, KillRecord& out) {
  for (uint32_t i = 0; i < in.level_count; ++i) {
    OOMBOX_TRY(CgroupPages level, Decode(in.levels[i], names));
    out.levels.push_back(std::move(level));
  }
  if (in.fired_level < in.level_count) {
    out.fired_level = in.fired_level;
  }
  return {};
}

uint64_t Weight(const KilledProcess& process) {
  return process.memory ? process.memory->resident_and_swapped() : 0;
}

void DecodeUsers(const oombox_kill_record& in, KillRecord& out) {
  out.ranked = (in.flags & OOMBOX_KILL_NO_WALK) == 0;
  out.rank_braked = (in.flags & OOMBOX_KILL_WALK_BRAKED) != 0;
  out.rank_cut = (in.flags & (OOMBOX_KILL_WALK_CUT | OOMBOX_KILL_WALK_RACED)) != 0;
  for (uint32_t i = 0; i < in.user_count; ++i) {
    out.users.push_back(Decode(in.users[i]));
  }
  std::stable_sort(out.users.begin(), out.users.end(),
                   [](const auto& a, const auto& b) { return Weight(a) > Weight(b); });
  out.walk_threads = in.walk_threads;
  out.walk_processes = in.walk_processes;
  out.walk_total = Decode(in.walk_total);
}

Status CheckHeader(std::string_view bytes, oombox_record_header& header) {
  if (bytes.size() < sizeof header) {
    return MakeError(ErrorCode::kCorrupt, "record of {} bytes is shorter than its header",
                     bytes.size());
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.type != OOMBOX_RECORD_KILL || header.version != OOMBOX_KILL_VERSION) {
    return MakeError(
        ErrorCode::kNotFound,
        "record type {} version {} is unknown here: it was written by another version of "
        "the agent",
        header.type, header.version);
  }
  if (header.size != bytes.size() || bytes.size() < kFixedSize ||
      bytes.size() > sizeof(oombox_kill_record)) {
    return MakeError(ErrorCode::kCorrupt, "kill record of {} bytes says it has {}", bytes.size(),
                     header.size);
  }
  return {};
}

}  // namespace

Result<KillRecord> DecodeKill(std::string_view bytes) {
  oombox_kill_record in{};
  OOMBOX_RETURN_IF_ERROR(CheckHeader(bytes, in.header));
  std::memcpy(&in, bytes.data(), bytes.size());
  const std::string_view names(in.names, bytes.size() - kFixedSize);
  if (in.names_len != names.size() || in.level_count > OOMBOX_MAX_LEVELS ||
      in.user_count > OOMBOX_MAX_USERS) {
    return MakeError(ErrorCode::kCorrupt, "kill record: a count is out of range");
  }

  KillRecord out;
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
  out.victim = Decode(in.victim);
  out.parent_tgid = in.parent_tgid;
  out.parent_comm = Comm(in.parent_comm);
  out.trigger_tgid = in.trigger_tgid;
  out.trigger_tid = in.trigger_tid;
  out.trigger_comm = Comm(in.trigger_comm);
  OOMBOX_RETURN_IF_ERROR(DecodeLevels(in, names, out));
  DecodeUsers(in, out);
  return out;
}

}  // namespace oombox
