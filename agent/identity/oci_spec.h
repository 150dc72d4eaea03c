#pragma once

#include <cstdint>
#include <string>

#include "agent/model/runtime_container.h"

namespace oombox {

// Adds knobs, memory limit and oom_score_adj from a runtime's verbose answer: JSON with the OCI
// runtime spec at `runtimeSpec`, as containerd and CRI-O give it. Nothing else of it is kept. Adds
// nothing when it is no such thing. Pure; any bytes.
void AddSpec(const std::string& json, RuntimeContainer& container);

// Values that are none (no limit, out of range) are left out.
void SetLimits(int64_t memory_limit_bytes, int64_t oom_score_adj, RuntimeContainer& container);

}  // namespace oombox
