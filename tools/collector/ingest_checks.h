#pragma once

#include <string>

#include "agent/common/result.h"
#include "oombox/v1/ingest.pb.h"

namespace oombox {

// What an agent may send. Pure. kInvalid says what is wrong, for the agent's log.

Status CheckHello(const v1::Hello& hello);

// A wrong place in the stream ends it: another store's epoch, a seq that does not grow.
Status CheckPlace(const v1::EventEnvelope& envelope, const std::string& store_epoch,
                  uint64_t last_seq);

// A wrong event is refused alone: malformed, too big, with text that is not printable or
// a time or duration that cannot be written as JSON.
Status CheckEvent(const v1::Event& event);

// Bigger than any report of an agent of ours: to be left out.
inline constexpr size_t kMaxReportBytes = 1 << 20;
bool IsOversized(const v1::NodeReport& report);

// A report of another node ends the stream.
Status CheckReporter(const v1::NodeReport& report, const v1::NodeIdentity& speaker);

// One with fields an event may not have either is left out: events are worth more than a status.
Status CheckReport(const v1::NodeReport& report);

}  // namespace oombox
