#include "agent/leftovers.h"

#include <spdlog/spdlog.h>

#include "agent/capture/committed.h"
#include "agent/capture/ring_reader.h"

namespace oombox {

Status DrainLeftovers(const KillProbe& probe, Journal& journal, int64_t session_id,
                      const Redactor* redactor) {
  for (const LeftoverRing& leftover : probe.leftovers()) {
    OOMBOX_TRY(const auto ring, RingReader::Map(leftover.fd, leftover.bytes, redactor));
    OOMBOX_TRY(const auto drained,
               DrainLeftover(*ring, journal, session_id, probe.attachment().attach_boottime_ns));
    spdlog::info("an agent of another layout left its ring: records={} duplicates={}",
                 drained.moved, drained.duplicates);
    if (const auto removed = probe.RemoveLeftover(leftover); !removed) {
      spdlog::warn("{}", removed.error().message);
    }
  }
  return {};
}

}  // namespace oombox
