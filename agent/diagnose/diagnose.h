#pragma once

#include <cstdint>

#include "oombox/v1/event.pb.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// Kills of the event's workload in the kept history, this one included. 0: not known.
struct WorkloadHistory {
  uint64_t kills = 0;
  int64_t first_time_ns = 0;
};

// What the facts of the event amount to. Pure and deterministic: the same inputs give the same
// words. It never claims what the event does not know; that is listed under `unknowns`.
v1::Diagnosis Diagnose(const v1::Event& event, const WorkloadHistory& history);

}  // namespace oombox
