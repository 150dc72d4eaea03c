#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/redact.h"
#include "agent/capture/ring_reader.h"
#include "agent/common/result.h"
#include "agent/store/journal.h"

namespace oombox {

// Brings what is older than the base of counting into the journal, the oldest first: what agents of
// other layouts left in their rings, whose pins are removed, then what our own `ring` holds of it.
// Records that are there twice are left out; returns how many.
Result<size_t> TakeOlder(const KillProbe& probe, RingReader& ring, Journal& journal,
                         int64_t session_id, const Redactor* redactor);

}  // namespace oombox
