#pragma once

#include <cstdint>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/redact.h"
#include "agent/common/result.h"
#include "agent/store/journal.h"

namespace oombox {

// Reads what agents of other layouts left in their rings to its end, into the journal, and removes
// their pins. The records that both layouts' programs saw are skipped.
Status DrainLeftovers(const KillProbe& probe, Journal& journal, int64_t session_id,
                      const Redactor* redactor);

}  // namespace oombox
