#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "bpf/oombox_abi.h"

namespace oombox::testing {

// Builds the raw bytes of a kill record the way the kernel side does: a process "worker" (tgid
// 4242) killed at the limit of /pods/a (100 pages), triggered by itself.
class KillBytes {
 public:
  KillBytes() {
    record_.flags = OOMBOX_KILL_RSS_PERCPU;
    record_.header.boottime_ns = 5'000'000'000;
    record_.victim = Process(4242, "worker", 90);
    record_.episode_tgid = 4242;
    record_.episode_start_boottime_ns = record_.victim.start_boottime_ns;
    record_.parent_tgid = 1;
    SetComm(record_.parent_comm, "init");
    record_.trigger_tgid = 4242;
    record_.trigger_tid = 4243;
    SetComm(record_.trigger_comm, "worker");
    AddLevel("a", 11, 100, 100);
    AddLevel("pods", 5, 150, kNoLimit);
    AddLevel("", 1, 400, kNoLimit);
    record_.inferred_level = 0;
    AddUser(record_.victim);
  }

  static constexpr __u64 kNoLimit = 0x7ffffffffffffULL;

  static oombox_process Process(__u32 tgid, const char* comm, __u64 anon_pages) {
    oombox_process p{};
    p.tgid = tgid;
    p.tid = tgid;
    p.namespace_pid = 7;
    p.uid = 1000;
    p.oom_score_adj = 900;
    p.start_boottime_ns = 1'000'000'000ULL + tgid;
    p.cgroup_id = 11;
    p.memory = {.anon_pages = anon_pages,
                .file_pages = 3,
                .shmem_pages = 2,
                .swap_pages = 1,
                .page_tables_bytes = 8192,
                .total_vm_pages = 1000};
    p.threads = 3;
    p.namespace_level = 1;
    SetComm(p.comm, comm);
    std::memcpy(p.exe, "python3.11", sizeof "python3.11");
    return p;
  }

  static void SetComm(char (&to)[OOMBOX_COMM_LEN], const char* from) {
    std::memset(to, 0, sizeof to);
    std::memcpy(to, from, std::min(std::strlen(from), sizeof to - 1));
  }

  void AddLevel(const std::string& name, __u64 id, __u64 usage, __u64 max) {
    oombox_cgroup& level = levels_.emplace_back();
    level.id = id;
    level.usage_pages = usage;
    level.max_pages = max;
    level.high_pages = kNoLimit;
    level.swap_max_pages = kNoLimit;
    level.kmem_max_pages = kNoLimit;
    level.tcp_max_pages = kNoLimit;
    level.name_offset = static_cast<__u16>(names_.size());
    level.name_len = static_cast<__u16>(name.size());
    names_ += name;
  }

  void AddUser(const oombox_process& process) {
    users_.push_back(process);
    record_.walk_threads++;
    record_.walk_processes++;
    record_.walk_total.anon_pages += process.memory.anon_pages;
  }

  // The kernel's decision: the limit of the level, or of none.
  void Decide(__u64 cgroup_id) {
    record_.decision = {.cgroup_id = cgroup_id,
                        .total_pages = 100,
                        .badness_pages = 96,
                        .gfp_mask = 0xcc0,
                        .order = 0,
                        .constraint = cgroup_id != 0 ? 3U : 0U,
                        .source = OOMBOX_SOURCE_STACK};
  }

  oombox_kill_record& record() { return record_; }
  std::vector<oombox_cgroup>& levels() { return levels_; }
  std::vector<oombox_stat>& stats() { return stats_; }
  std::vector<__u64>& stack() { return stack_; }

  std::string bytes() {
    std::string tail;
    AddPart(OOMBOX_PART_NAMES, names_.data(), 1, names_.size(), tail);
    AddPart(OOMBOX_PART_LEVELS, levels_.data(), sizeof(oombox_cgroup), levels_.size(), tail);
    AddPart(OOMBOX_PART_USERS, users_.data(), sizeof(oombox_process), users_.size(), tail);
    AddPart(OOMBOX_PART_STATS, stats_.data(), sizeof(oombox_stat), stats_.size(), tail);
    AddPart(OOMBOX_PART_STACK, stack_.data(), sizeof(__u64), stack_.size(), tail);
    record_.header.type = OOMBOX_RECORD_KILL;
    record_.header.version = OOMBOX_KILL_VERSION;
    record_.header.size = static_cast<__u32>(offsetof(oombox_kill_record, tail) + tail.size());
    return std::string(reinterpret_cast<const char*>(&record_),
                       offsetof(oombox_kill_record, tail)) +
           tail;
  }

 private:
  void AddPart(oombox_part_kind kind, const void* from, size_t size, size_t count,
               std::string& tail) {
    record_.parts[kind] = {
        .offset = static_cast<__u32>(offsetof(oombox_kill_record, tail) + tail.size()),
        .size = static_cast<__u16>(size),
        .count = static_cast<__u16>(count)};
    tail.append(static_cast<const char*>(from), size * count);
  }

  oombox_kill_record record_{};
  std::string names_;
  std::vector<oombox_cgroup> levels_;
  std::vector<oombox_process> users_;
  std::vector<oombox_stat> stats_;
  std::vector<__u64> stack_;
};

}  // namespace oombox::testing
