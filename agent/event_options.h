#pragma once

#include <memory>

#include "agent/capture/redact.h"
#include "agent/config.h"
#include "agent/event/event_stage.h"
#include "agent/store/journal.h"

namespace oombox {

// What the event stage is given of the others, which it does not know. `redactor` must outlive the
// stage; null when replaying: then nothing is asked of this machine.
EventStage::Options EventOptionsOf(const AgentConfig& config, const JournalSession& session,
                                   std::shared_ptr<StackSymbols> symbols, const Redactor* redactor);

}  // namespace oombox
