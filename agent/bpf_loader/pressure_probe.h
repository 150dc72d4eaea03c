#pragma once

#include <memory>

#include "agent/common/result.h"
#include "agent/model/reclaim.h"

namespace oombox {

// Loads and attaches the programs at the reclaim tracepoints (bpf/pressure.bpf.c); needs CAP_BPF
// and CAP_PERFMON. What it returns works without any capability: all is read from mapped memory.
// Not pinned: it ends with the last owner. kUnavailable where the kernel refuses it.
Result<std::shared_ptr<ReclaimSource>> LoadPressureProbe();

}  // namespace oombox
