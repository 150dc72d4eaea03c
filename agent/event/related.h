#pragma once

#include "agent/model/ring_record.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

inline constexpr int kMaxRelated = 64;

// What comes after the kill and belongs to it. Each returns false when it changes nothing.

// A process that died with a victim. One that is a victim itself is no related process.
bool AddRelated(v1::Event& event, const SignalRecord& record);
// What a victim was started as; the first that is heard counts.
bool HasVictim(const v1::Event& event, const CmdlineRecord& record);
bool AddCmdline(v1::Event& event, const CmdlineRecord& record);

}  // namespace oombox
