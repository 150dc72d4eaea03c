#include "agent/leftovers.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/capture/committed.h"

namespace oombox {

namespace {

Result<size_t> DrainLeftovers(const KillProbe& probe, Journal& journal, int64_t session_id,
                              const Redactor* redactor) {
  size_t duplicates = 0;
  for (const LeftoverRing& leftover : probe.leftovers()) {
    OOMBOX_TRY(const auto ring, RingReader::Map(leftover.fd, leftover.bytes, redactor));
    OOMBOX_TRY(const auto drained,
               DrainLeftover(*ring, journal, session_id, probe.attachment().attach_boottime_ns));
    spdlog::info("a ring was left by an agent of layout {}: records={} duplicates={}", leftover.abi,
                 drained.moved, drained.duplicates);
    duplicates += drained.duplicates;
  }
  return duplicates;
}

}  // namespace

Result<size_t> TakeOlder(const KillProbe& probe, RingReader& ring, Journal& journal,
                         int64_t session_id, const Redactor* redactor) {
  OOMBOX_TRY(const size_t drained, DrainLeftovers(probe, journal, session_id, redactor));
  const oombox_attachment& attachment = probe.attachment();
  const uint64_t attached = attachment.attach_boottime_ns;
  const bool others_recorded =
      std::any_of(probe.leftovers().begin(), probe.leftovers().end(),
                  [](const LeftoverRing& leftover) { return leftover.recorded_beside; });
  OOMBOX_TRY(const auto older, MoveOlder(ring, journal, session_id,
                                         std::max<uint64_t>(attached, attachment.base_boottime_ns),
                                         others_recorded ? attached : 0));
  // Not before: as long as they are there, the next start knows what ours have twice.
  for (const LeftoverRing& leftover : probe.leftovers()) {
    if (const auto removed = probe.RemoveLeftover(leftover); !removed) {
      spdlog::warn("{}", removed.error().message);
    }
  }
  return drained + older.duplicates;
}

}  // namespace oombox
