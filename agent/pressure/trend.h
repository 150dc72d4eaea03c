#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/model/memory_sample.h"
#include "agent/model/pressure.h"

namespace oombox {

// Where the memory goes that the kernel cannot reclaim: a straight line through the readings of the
// last minute, ten minutes, or hour, whichever is the shortest that a line fits; a flat one only
// where no longer one rises, since a leak may go by steps. Page cache reaches the limit of many a
// cgroup, and nothing follows; so the working set is taken only where the parts are not known, and
// for the node, of which the kernel says what is available. Reclaimable slab comes and goes with
// page cache; where it is not told apart (v1), growth is without the kernel's memory, which is held
// all the same when the limit is near. Less than 256 KiB in a window is no growth, nor is a single
// step. Nothing with fewer than four readings, or less than two seconds of them. `points` oldest
// first. Pure.
std::optional<MemoryTrend> TrendOf(const std::vector<MemorySample>& points,
                                   bool whole_node = false);

}  // namespace oombox
