#pragma once

#include <string>

#include "agent/common/result.h"

namespace oombox {

// What the running kernel's BTF says about the hooks; decides which programs are loaded.
struct KernelFeatures {
  bool mark_victim_has_task = false;  // (task, uid) instead of (pid)
  bool bpf_loop = false;              // since Linux 5.17
};

// Reads the BTF at `btf_path`. kUnavailable when there is none or it lacks the hook.
Result<KernelFeatures> ReadKernelFeatures(const std::string& btf_path = "/sys/kernel/btf/vmlinux");

// Why loading would fail here for sure, before it is tried: capabilities of this thread (from
// `proc_status`) and lockdown (from `lockdown`; a missing file is no lockdown).
Status CheckMayLoad(const std::string& proc_status = "/proc/thread-self/status",
                    const std::string& lockdown = "/sys/kernel/security/lockdown");

}  // namespace oombox
