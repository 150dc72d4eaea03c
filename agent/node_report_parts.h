#pragma once

#include "agent/config.h"
#include "agent/node_reporter.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

v1::NodeIdentity IdentityOf(const AgentConfig& config, const JournalSession& session);

// The parts of a NodeReport, each from the stage that knows it.

// Now, not of the last look: whoever asks after a kill wants to see it.
void FillAccounting(const KillProbe& probe, const Capture& capture, const Reconciler& reconciler,
                    const EventStage::Counters& events, v1::NodeReport& report);
void FillAttachment(const KillProbe& probe, const Capture& capture, v1::NodeReport& report);
void FillDepths(const NodeReporter::Sources& sources, v1::NodeReport& report);
void FillStages(const NodeReporter::Sources& sources, v1::NodeReport& report);
void FillUplink(const UplinkStatus& uplink, v1::NodeReport& report);

// What the filled parts mean for "is every kill an event?". Last.
void FillCoverage(const NodeReporter::Sources& sources, v1::NodeReport& report);

}  // namespace oombox
