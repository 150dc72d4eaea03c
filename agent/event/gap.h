#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/event/assemble.h"
#include "agent/model/cgroup_kills.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

struct Gap {
  v1::GapEvent::Cause cause = v1::GapEvent::CAUSE_UNSPECIFIED;
  int64_t start_wall_ns = 0;
  int64_t end_wall_ns = 0;
  std::optional<uint64_t> count;
  std::string detail;
  // Distinguishes gaps of one cause in one boot; the same key is the same event.
  std::string key;
  // Of `count`: kills that the kernel log still held, each an event of its own. EventStage counts.
  uint64_t reconstructed = 0;
  // Where they happened, the most first, as far as the cgroups' own counters tell.
  std::vector<CgroupKills> cgroups = {};

  bool operator==(const Gap&) const = default;
};

// The event that says where kills may be missing. Pure.
v1::Event AssembleGap(const Gap& gap, const EventContext& context);

}  // namespace oombox
