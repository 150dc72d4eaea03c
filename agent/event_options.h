#pragma once

#include <memory>

#include "agent/capture/redact.h"
#include "agent/config.h"
#include "agent/event/event_stage.h"
#include "agent/kill_tally.h"
#include "agent/store/journal.h"

namespace oombox {

// What this machine can be asked; all null when replaying.
struct EventSources {
  std::shared_ptr<StackSymbols> symbols;
  const Redactor* redactor;  // must outlive the stage
  std::shared_ptr<ContainerSource> containers;
  const HistorySource* history;  // must outlive the stage
  std::shared_ptr<KillTally> kills;
};

// What the event stage is given of the others, which it does not know.
EventStage::Options EventOptionsOf(const AgentConfig& config, const JournalSession& session,
                                   EventSources sources);

}  // namespace oombox
