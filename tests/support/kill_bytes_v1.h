#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "bpf/oombox_abi_v1.h"

namespace oombox::testing {

// Builds the raw bytes of a kill record of version 1: a process "worker" (tgid
// 4242) killed at the limit of /pods/a (100 pages), triggered by itself.
class KillBytesV1 {
 public:
  KillBytesV1() {
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
    record_.fired_level = 0;
    AddUser(record_.victim);
  }

  static constexpr __u64 kNoLimit = 0x7ffffffffffffULL;

  static oombox_process_v1 Process(__u32 tgid, const char* comm, __u64 anon_pages) {
    oombox_process_v1 p{};
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
    SetComm(p.comm, comm);
    return p;
  }

  static void SetComm(char (&to)[OOMBOX_COMM_LEN], const char* from) {
    std::memset(to, 0, sizeof to);
    std::memcpy(to, from, std::min(std::strlen(from), sizeof to - 1));
  }

  void AddLevel(const std::string& name, __u64 id, __u64 usage, __u64 max) {
    oombox_cgroup_v1& level = record_.levels[record_.level_count++];
    level = {};
    level.id = id;
    level.usage_pages = usage;
    level.max_pages = max;
    level.high_pages = kNoLimit;
    level.swap_max_pages = kNoLimit;
    level.name_offset = static_cast<__u16>(record_.names_len);
    level.name_len = static_cast<__u16>(name.size());
    std::memcpy(record_.names + record_.names_len, name.data(), name.size());
    record_.names_len += static_cast<__u32>(name.size());
  }

  void AddUser(const oombox_process_v1& process) {
    record_.users[record_.user_count++] = process;
    record_.walk_threads++;
    record_.walk_processes++;
    record_.walk_total.anon_pages += process.memory.anon_pages;
  }

  oombox_kill_record_v1& record() { return record_; }

  std::string bytes() {
    const size_t size = offsetof(oombox_kill_record_v1, names) + record_.names_len;
    record_.header.type = OOMBOX_RECORD_KILL;
    record_.header.version = 1;
    record_.header.size = static_cast<__u32>(size);
    return {reinterpret_cast<const char*>(&record_), size};
  }

 private:
  oombox_kill_record_v1 record_{};
};

}  // namespace oombox::testing
