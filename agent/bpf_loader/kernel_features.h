#pragma once

#include <set>
#include <string>

#include "agent/common/result.h"

namespace oombox {

// What the running kernel's BTF says about the hooks; decides which programs are loaded.
struct KernelFeatures {
  bool mark_victim_has_task = false;  // (task, uid) instead of (pid)
  bool bpf_loop = false;              // since Linux 5.17
  bool console = false;      // tracepoint of the kernel's log, fires where a line is printed
  bool processes = false;    // tracepoints of exec, fork and exit
  bool rss_per_cpu = false;  // exact memory needs __per_cpu_offset (since Linux 6.2)
  bool rdonly_cast = false;  // plain loads from any address: bpf_rdonly_cast (since Linux 6.2)
  bool reclaim_names_target = false;  // the reclaim tracepoints have the cgroup (since Linux 7.2)
  bool stats_are_compacted = false;   // memory.stat's order is in a table (since Linux 6.9)
};

// Reads the BTF at `btf_path`. kUnavailable when there is none or it lacks the hook.
Result<KernelFeatures> ReadKernelFeatures(const std::string& btf_path = "/sys/kernel/btf/vmlinux");

// Which of `wanted` the kernel shows with their address: data only with CONFIG_KALLSYMS_ALL=y.
std::set<std::string> ShownSymbols(const std::set<std::string>& wanted,
                                   const std::string& path = "/proc/kallsyms");

// Why loading would fail here for sure, before it is tried: capabilities of this thread (from
// `proc_status`) and lockdown (from `lockdown`; a missing file is no lockdown).
Status CheckMayLoad(const std::string& proc_status = "/proc/thread-self/status",
                    const std::string& lockdown = "/sys/kernel/security/lockdown");

}  // namespace oombox
