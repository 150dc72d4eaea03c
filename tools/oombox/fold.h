#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "oombox/v1/event.pb.h"

namespace oombox {

// One line of a list: an event, or the repeated kills of one workload behind the newest of them.
struct EventGroup {
  const v1::Event* newest = nullptr;
  size_t kills = 1;
  int64_t oldest_ns = 0;
};

enum class Folding { kByWorkload, kNone };

// Keeps the order (newest first) and points into `events`, which must outlive the groups. Only
// kills of a known workload are folded; one without an owner is the same workload only on the same
// node.
std::vector<EventGroup> FoldEvents(const std::vector<v1::Event>& events, Folding folding);

}  // namespace oombox
