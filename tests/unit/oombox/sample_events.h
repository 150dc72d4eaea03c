#pragma once

#include <cstdint>
#include <string>

#include "oombox/v1/query.pb.h"

namespace oombox {

// Events as an agent would make them, around a fixed moment.
inline constexpr int64_t kNow = 1'795'403'921'318'000'000;  // 2026-11-23 03:18:41.318Z
inline constexpr int64_t kMinute = 60'000'000'000;
inline constexpr int64_t kHour = 60 * kMinute;
inline constexpr int64_t kDay = 24 * kHour;

// A hog and its innocent neighbour under one limit of 200 MiB; the hog dies.
v1::Event HogEvent(const std::string& id = "4k7qzd0123456789", int64_t age_ns = 6 * kMinute);
// A child dies while its parent lives, in a pod's container; the kernel itself named the limit.
v1::Event ChildEvent(const std::string& id = "9f2mca0123456789", int64_t age_ns = 41 * kMinute);
// The machine itself ran out of memory; little is known.
v1::Event NodeEvent(const std::string& id = "c03hxx0123456789", int64_t age_ns = 2 * kHour);
// Nobody captured it: what the kernel log says of a kill.
v1::Event LoggedEvent(const std::string& id = "k1eg5x0123456789", int64_t age_ns = 20 * kMinute);
v1::Event GapEventSample(const std::string& id = "gap00x0123456789", int64_t age_ns = 3 * kHour);
// Every name is made to break a terminal.
v1::Event HostileEvent();

v1::CoverageSummary CompleteCoverage();
v1::CoverageSummary PartialCoverage();
v1::NodeStatus CompleteNode();
v1::NodeStatus SilentNode();

}  // namespace oombox
