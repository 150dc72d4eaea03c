#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "oombox/v1/event.pb.h"

namespace oombox {

// The words that events are described with, the same in every view.

// A sum over memory of which parts may be unknown.
struct MemorySum {
  uint64_t bytes = 0;
  bool complete = true;  // false: at least so much
};
// anon + file + shmem (+ swap); nothing when no part is known. Exact values where the kernel gave
// them.
std::optional<MemorySum> ResidentMemory(const v1::ProcessMemory& memory);
std::optional<MemorySum> ResidentAndSwap(const v1::ProcessMemory& memory);
// "1.7 GiB", "≥ 1.7 GiB", "unknown".
std::string MemoryText(const std::optional<MemorySum>& sum);

// Whom it happened to: namespace/pod/container, else the victim's cgroup, else the node.
std::string EventSubject(const v1::Event& event);
// "python3[31]", with the pid that `ps` shows where the process ran.
std::string ProcessName(const std::string& comm, uint32_t namespace_pid, uint32_t tgid);
std::string VictimName(const v1::Victim& victim);

// Nobody captured the kill; it was put together from the kernel log, and much is missing.
bool FromKernelLog(const v1::Event& event);

// Whose limit it was, and that it is no more than a conclusion: "container", "cgroup, inferred",
// "node memory", "unknown".
std::string CauseText(const v1::OomEvent& oom);
// "2 GiB", "node" or "unknown".
std::string LimitText(const v1::OomEvent& oom);

// What the trigger asked memory for; empty when not known.
std::string ActivityText(v1::Trigger::Activity activity);

// "3 kills lost", "3 kills lost, 2 of them in the kernel log", "kills may be lost, not counted".
std::string GapLoss(const v1::GapEvent& gap);
// "the ring was full".
std::string GapCause(v1::GapEvent::Cause cause);
// "python3[1] got SIGKILL from runc[4711], no OOM".
std::string NoKillText(const v1::NoKillEvent& no_kill);

}  // namespace oombox
