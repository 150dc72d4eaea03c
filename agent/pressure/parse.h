#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/model/memory_sample.h"

namespace oombox {

// What the kernel's files say of memory. Pure; whatever the text holds, what it does not say stays
// absent.

// A number alone.
std::optional<uint64_t> ParseNumber(std::string_view text);
// A limit's file: "max", or v1's biggest number, is none.
std::optional<uint64_t> ParseLimit(std::string_view text);
// memory.stat, after the usage is known. v1's own keys are of the cgroup alone; those with total_
// have what is below, too, as the usage has.
void ParseStatV2(std::string_view text, MemorySample& sample);
void ParseStatV1(std::string_view text, MemorySample& sample);
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", "full ...": false when it says neither.
bool ParsePressure(std::string_view text, MemorySample& sample);
// /proc/meminfo as the memory of a cgroup whose limit is MemTotal; false when that is not there.
bool ParseMeminfo(std::string_view text, MemorySample& sample);
// /proc/loadavg: tasks that exist.
std::optional<uint32_t> ParseLoadavgTasks(std::string_view text);

}  // namespace oombox
