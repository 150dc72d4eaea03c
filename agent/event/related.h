#pragma once

#include "agent/model/ring_record.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

inline constexpr int kMaxRelated = 64;

// What comes after the kill and belongs to it. Each returns false when it changes nothing.

// A process that died with a victim. One that is a victim itself is no related process.
bool AddRelated(v1::Event& event, const SignalRecord& record);
// What a victim or a user was started as; the first that is heard counts.
bool HasVictim(const v1::Event& event, const CmdlineRecord& record);
bool AddCmdline(v1::Event& event, const CmdlineRecord& record);

// Records of older versions have no command line and no signals to wait for.
inline constexpr uint32_t kFirstVersionWithCmdline = 2;
// Names the command lines of victims among what is missing, where they are.
void TellUnread(v1::Event& event);

}  // namespace oombox
