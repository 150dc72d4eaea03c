#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/model/stack_symbols.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// The trigger's stack has frames without names.
bool NeedsSymbols(const v1::OomEvent& oom);

// Of the trigger's stack, innermost first.
std::vector<uint64_t> FrameAddresses(const v1::OomEvent& oom);

// Names the frames, leaves out those of the tracing itself, and tells from them what the trigger
// was doing, as far as they were looked up. NameFramesAtLast says so where they were not.
void NameKnownFrames(StackSymbols& symbols, v1::OomEvent& oom);
void NameFramesAtLast(StackSymbols& symbols, v1::OomEvent& oom);

// What a task with these frames, innermost first, asked memory for. Pure.
v1::Trigger::Activity ActivityOf(std::span<const std::string> frames);

}  // namespace oombox
