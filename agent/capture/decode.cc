#include "agent/capture/decode.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <tuple>

#include "agent/capture/decode_parts.h"
#include "agent/capture/decode_v1.h"
#include "bpf/oombox_abi.h"

namespace oombox {

namespace {

constexpr size_t kHeadSize = offsetof(oombox_kill_record, tail);

KilledProcess Decode(const oombox_process& in) {
  KilledProcess out{.tgid = in.tgid,
                    .tid = in.tid,
                    .namespace_pid = in.namespace_pid,
                    .uid = in.uid,
                    .oom_score_adj = in.oom_score_adj,
                    .start_boottime_ns = in.start_boottime_ns,
                    .cgroup_id = in.cgroup_id,
                    .memory = std::nullopt,
                    .comm = Comm(in.comm),
                    .threads = in.threads,
                    .namespace_level = in.namespace_level,
                    .exe = std::string(in.exe, strnlen(in.exe, OOMBOX_EXE_LEN))};
  if ((in.flags & OOMBOX_PROCESS_NO_MM) == 0) {
    out.memory = DecodeMemory(in.memory);
  }
  if ((in.flags & OOMBOX_PROCESS_EXACT) != 0) {
    out.exact = ExactPages{.anon = in.exact.anon_pages,
                           .file = in.exact.file_pages,
                           .shmem = in.exact.shmem_pages,
                           .swap = in.exact.swap_pages};
  }
  return out;
}

CgroupEvents DecodeEvents(const __u64 (&in)[OOMBOX_EVENTS], bool group_kills) {
  CgroupEvents out{.low = in[OOMBOX_EVENT_LOW],
                   .high = in[OOMBOX_EVENT_HIGH],
                   .max = in[OOMBOX_EVENT_MAX],
                   .oom = in[OOMBOX_EVENT_OOM],
                   .oom_kill = in[OOMBOX_EVENT_OOM_KILL],
                   .oom_group_kill = std::nullopt};
  if (group_kills) {
    out.oom_group_kill = in[OOMBOX_EVENT_OOM_GROUP_KILL];
  }
  return out;
}

void DecodeOptional(const oombox_cgroup& in, CgroupPages& out) {
  out.oom_kill_disabled = (in.flags & OOMBOX_CGROUP_OOM_DISABLED) != 0;
  if ((in.flags & OOMBOX_CGROUP_KMEM) != 0) {
    out.kmem_usage = in.kmem_usage_pages;
    out.kmem_max = Limit(in.kmem_max_pages);
    out.tcp_usage = in.tcp_usage_pages;
    out.tcp_max = Limit(in.tcp_max_pages);
  }
  if ((in.flags & OOMBOX_CGROUP_ZSWAP) != 0) {
    out.zswap_max = Limit(in.zswap_max_pages);
  }
  if ((in.flags & OOMBOX_CGROUP_ZSWAP_USAGE) != 0) {
    out.zswap_usage_bytes = in.zswap_usage_bytes;
  }
  const bool group_kills = (in.flags & OOMBOX_CGROUP_GROUP_KILLS) != 0;
  out.events = DecodeEvents(in.events, group_kills);
  out.local_events = DecodeEvents(in.local_events, group_kills);
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
  DecodeOptional(in, out);
  if ((in.flags & OOMBOX_CGROUP_NAME_CUT) == 0) {
    if (size_t{in.name_offset} + in.name_len > names.size()) {
      return MakeError(ErrorCode::kCorrupt,
                       "kill record: a cgroup name lies outside of the record");
    }
    out.name = names.substr(in.name_offset, in.name_len);
  }
  return out;
}

Status DecodeLevels(std::string_view bytes, const oombox_kill_record& in, KillRecord& out) {
  constexpr size_t kMaxNames = OOMBOX_MAX_NAMES + OOMBOX_MAX_NAME;
  OOMBOX_TRY(const auto names, ReadPart<char>(bytes, in.parts[OOMBOX_PART_NAMES], kMaxNames));
  OOMBOX_TRY(const auto levels,
             ReadPart<oombox_cgroup>(bytes, in.parts[OOMBOX_PART_LEVELS], OOMBOX_MAX_LEVELS));
  for (const oombox_cgroup& level : levels) {
    OOMBOX_TRY(CgroupPages decoded, Decode(level, {names.data(), names.size()}));
    out.levels.push_back(std::move(decoded));
  }
  if (in.inferred_level < out.levels.size()) {
    out.inferred_level = in.inferred_level;
  }
  return {};
}

void DecodeDecision(const oombox_decision& in, KillRecord& out) {
  out.fired_level = out.inferred_level;
  if (in.source == OOMBOX_SOURCE_NONE) {
    return;
  }
  out.decision = KillDecision{.cgroup_id = in.cgroup_id,
                              .total_pages = in.total_pages,
                              .badness_pages = in.badness_pages,
                              .gfp_mask = in.gfp_mask,
                              .order = in.order,
                              .constraint = in.constraint};
  out.fired_level.reset();
  for (uint32_t i = 0; in.cgroup_id != 0 && i < out.levels.size(); ++i) {
    if (out.levels[i].id == in.cgroup_id) {
      out.fired_level = i;
    }
  }
}

Status DecodeUsers(std::string_view bytes, const oombox_kill_record& in, KillRecord& out) {
  out.ranked = (in.flags & OOMBOX_KILL_NO_WALK) == 0;
  out.rank_braked = (in.flags & OOMBOX_KILL_WALK_BRAKED) != 0;
  out.rank_cut = (in.flags & (OOMBOX_KILL_WALK_CUT | OOMBOX_KILL_WALK_RACED)) != 0;
  out.sums_cut = (in.flags & OOMBOX_KILL_SUMS_CUT) != 0;
  OOMBOX_TRY(const auto users,
             ReadPart<oombox_process>(bytes, in.parts[OOMBOX_PART_USERS], OOMBOX_MAX_USERS));
  for (const oombox_process& user : users) {
    out.users.push_back(Decode(user));
  }
  SortByWeight(out.users);
  out.walk_threads = in.walk_threads;
  out.walk_processes = in.walk_processes;
  out.walk_total = DecodeMemory(in.walk_total);
  if (in.walked_cgroup_id != 0) {
    out.walked_cgroup_id = in.walked_cgroup_id;
  }
  return {};
}

Status DecodeStats(std::string_view bytes, const oombox_kill_record& in, KillRecord& out) {
  OOMBOX_TRY(const auto stats,
             ReadPart<oombox_stat>(bytes, in.parts[OOMBOX_PART_STATS], OOMBOX_MAX_STATS));
  for (const oombox_stat& stat : stats) {
    CgroupStat& to = out.stats.emplace_back();
    to.cgroup_id = stat.cgroup_id;
    static_assert(std::tuple_size_v<decltype(to.values)> == OOMBOX_STATS);
    for (size_t i = 0; i < OOMBOX_STATS; ++i) {
      if (((stat.known >> i) & 1U) != 0) {
        to.values[i] = stat.values[i];
      }
    }
  }
  OOMBOX_TRY(out.stack, ReadPart<uint64_t>(bytes, in.parts[OOMBOX_PART_STACK], OOMBOX_MAX_FRAMES));
  return {};
}

Status DecodeParents(std::string_view bytes, const oombox_kill_record& in, KillRecord& out) {
  OOMBOX_TRY(const auto parents,
             ReadPart<oombox_parent>(bytes, in.parts[OOMBOX_PART_PARENTS], OOMBOX_MAX_PARENTS));
  for (const oombox_parent& parent : parents) {
    out.parents.push_back({.tgid = parent.tgid,
                           .namespace_pid = parent.namespace_pid,
                           .start_boottime_ns = parent.start_boottime_ns,
                           .namespace_level = parent.namespace_level,
                           .comm = Comm(parent.comm)});
  }
  return {};
}

void DecodeActors(const oombox_kill_record& in, KillRecord& out) {
  out.victim = Decode(in.victim);
  out.trigger_cgroup_id = in.trigger_cgroup_id;
}

Result<RingRecord> DecodeKillV2(std::string_view bytes) {
  if (bytes.size() < kHeadSize || bytes.size() > sizeof(oombox_kill_record)) {
    return MakeError(ErrorCode::kCorrupt, "kill record of version 2 has {} bytes", bytes.size());
  }
  oombox_kill_record in{};
  std::memcpy(&in, bytes.data(), kHeadSize);
  KillRecord out;
  DecodeHead(in, out);
  DecodeActors(in, out);
  OOMBOX_RETURN_IF_ERROR(DecodeLevels(bytes, in, out));
  DecodeDecision(in.decision, out);
  OOMBOX_RETURN_IF_ERROR(DecodeUsers(bytes, in, out));
  OOMBOX_RETURN_IF_ERROR(DecodeStats(bytes, in, out));
  OOMBOX_RETURN_IF_ERROR(DecodeParents(bytes, in, out));
  return RingRecord(std::move(out));
}

Result<SignalKind> DecodeKind(uint32_t kind) {
  switch (kind) {
    case OOMBOX_SIGNAL_SHARER:
      return SignalKind::kSharer;
    case OOMBOX_SIGNAL_COLLATERAL:
      return SignalKind::kCollateral;
    case OOMBOX_SIGNAL_ALREADY_DYING:
      return SignalKind::kAlreadyDying;
    case OOMBOX_SIGNAL_INIT_KILLED:
      return SignalKind::kInitKilled;
    case OOMBOX_SIGNAL_NO_VICTIM:
      return SignalKind::kNoVictim;
    default:
      return MakeError(ErrorCode::kCorrupt, "signal record of kind {}", kind);
  }
}

std::string CgroupTail(const oombox_cgroup_tail& in) {
  const auto text = [](const char(&name)[OOMBOX_MAX_NAME]) {
    return std::string(name, strnlen(name, sizeof name));
  };
  const std::string parent = text(in.parent_name);
  return parent.empty() ? text(in.name) : parent + "/" + text(in.name);
}

Result<RingRecord> DecodeSignal(std::string_view bytes) {
  if (bytes.size() != sizeof(oombox_signal_record)) {
    return MakeError(ErrorCode::kCorrupt, "signal record has {} bytes", bytes.size());
  }
  oombox_signal_record in{};
  std::memcpy(&in, bytes.data(), sizeof in);
  OOMBOX_TRY(const SignalKind kind, DecodeKind(in.kind));
  return RingRecord(SignalRecord{.boottime_ns = in.header.boottime_ns,
                                 .kind = kind,
                                 .episode_tgid = in.episode_tgid,
                                 .episode_start_boottime_ns = in.episode_start_boottime_ns,
                                 .sender_tgid = in.sender_tgid,
                                 .sender_comm = Comm(in.sender_comm),
                                 .sender_cgroup_id = in.sender_cgroup.id,
                                 .sender_cgroup_tail = CgroupTail(in.sender_cgroup),
                                 .target = Decode(in.target),
                                 .target_cgroup_tail = CgroupTail(in.target_cgroup)});
}

std::vector<std::string> SplitArguments(std::string_view bytes) {
  std::vector<std::string> arguments;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\0');
    arguments.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return arguments;
}

Result<RingRecord> DecodeCmdline(std::string_view bytes) {
  if (bytes.size() != sizeof(oombox_cmdline_record)) {
    return MakeError(ErrorCode::kCorrupt, "command line record has {} bytes", bytes.size());
  }
  oombox_cmdline_record in{};
  std::memcpy(&in, bytes.data(), sizeof in);
  const size_t length = std::min<size_t>(in.length, sizeof in.bytes);
  return RingRecord(CmdlineRecord{.boottime_ns = in.header.boottime_ns,
                                  .tgid = in.tgid,
                                  .start_boottime_ns = in.start_boottime_ns,
                                  .episode_tgid = in.episode_tgid,
                                  .episode_start_boottime_ns = in.episode_start_boottime_ns,
                                  .cut = in.length > sizeof in.bytes,
                                  .arguments = SplitArguments({in.bytes, length})});
}

}  // namespace

Result<RingRecord> DecodeRecord(std::string_view bytes) {
  oombox_record_header header{};
  if (bytes.size() < sizeof header) {
    return MakeError(ErrorCode::kCorrupt, "record of {} bytes is shorter than its header",
                     bytes.size());
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.size != bytes.size()) {
    return MakeError(ErrorCode::kCorrupt, "record of {} bytes says it has {}", bytes.size(),
                     header.size);
  }
  if (header.type == OOMBOX_RECORD_KILL && header.version == OOMBOX_KILL_VERSION) {
    return DecodeKillV2(bytes);
  }
  if (header.type == OOMBOX_RECORD_KILL && header.version == 1) {
    OOMBOX_TRY(KillRecord record, DecodeKillV1(bytes));
    return RingRecord(std::move(record));
  }
  if (header.type == OOMBOX_RECORD_SIGNAL && header.version == OOMBOX_SIGNAL_VERSION) {
    return DecodeSignal(bytes);
  }
  if (header.type == OOMBOX_RECORD_CMDLINE && header.version == OOMBOX_CMDLINE_VERSION) {
    return DecodeCmdline(bytes);
  }
  return MakeError(ErrorCode::kNotFound,
                   "record type {} version {} is unknown here: it was written by another version "
                   "of the agent",
                   header.type, header.version);
}

bool IsKillRecord(std::string_view bytes) {
  oombox_record_header header{};
  if (bytes.size() < sizeof header) {
    return true;
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  return header.type != OOMBOX_RECORD_SIGNAL && header.type != OOMBOX_RECORD_CMDLINE;
}

bool BeginsEvent(std::string_view bytes) {
  const auto record = DecodeRecord(bytes);
  const auto* kill = record ? std::get_if<KillRecord>(&*record) : nullptr;
  return kill != nullptr && !kill->group_member;
}

}  // namespace oombox
