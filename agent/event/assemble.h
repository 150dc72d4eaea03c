#pragma once

#include <cstdint>
#include <string>

#include "agent/model/kill.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// What an event needs beside the kernel's record.
struct EventContext {
  std::string cluster_name;
  std::string node_name;
  std::string boot_id;
  std::string kernel_release;
  uint64_t memory_total_bytes = 0;  // 0: unknown
  uint32_t page_size = 4096;
  uint32_t possible_cpus = 1;
  // When the raw record was committed, on both clocks: gives the wall time of the kill.
  int64_t committed_wall_ns = 0;
  uint64_t committed_boottime_ns = 0;
  bool replayed = false;
};

// Limits of one event, so that it stays below kMaxEventBytes (agent/store/event_store.h).
inline constexpr size_t kMaxFullVictims = 64;
inline constexpr size_t kMaxListedVictims = 1000;

// Revision 1 of the event a kill begins. Pure.
v1::Event AssembleKill(const KillRecord& record, const EventContext& context);

// Adds a further victim of the same episode (memory.oom.group); false when it was there already.
bool AddVictim(v1::Event& event, const KillRecord& record, const EventContext& context);

// Cuts what is long and repeated until the event fits kMaxEventBytes, and says so in its quality.
void TrimToSize(v1::Event& event);

}  // namespace oombox
