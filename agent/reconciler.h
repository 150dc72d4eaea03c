#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/accounting.h"
#include "agent/event/event_stage.h"
#include "agent/gap_evidence.h"
#include "agent/last_seen.h"
#include "agent/store/journal.h"

namespace oombox {

// Compares what was captured with the kernel's own count: at the start for the time that nobody
// watched, then every time Look is called. A difference becomes a gap event, once, across restarts:
// what has been told is noted in the attachment after the store has it. Thread-safe.
class Reconciler {
 public:
  struct Sources {
    JournalSession session;
    const KillProbe* probe;
    EventStage* events;
    Journal* journal;
    GapEvidence* evidence;
    std::function<std::optional<uint64_t>()> kernel_kills;  // of /proc/vmstat, since boot
    std::string last_seen_path;  // agent/last_seen.h; written while both counts agree
  };

  explicit Reconciler(Sources sources);

  // The kills between the last run and this attachment: nobody recorded them, but the kernel
  // counted. Before anything is captured; `taken_kills` of this boot were taken into the journal
  // just now (TakeOlder).
  void TellAbsence(uint64_t taken_kills = 0);

  // Stores the gap, with what else knows of the kills since the last agreement.
  void Report(Gap gap);

  // From now on agreement can be noted; `pending` gives the bytes that wait in the ring.
  void Watch(std::function<uint64_t()> pending);

  // Looks at both sides, tells what is missing, notes when nothing is.
  void Look();
  // Before the end: notes whether both agree, but believes nothing new.
  void Finish();

  // Of the last look.
  KillCounts counts() const;
  // Kernel kills since the attachment's base, now.
  std::optional<uint64_t> KernelKills() const;

 private:
  void LookForAbsence(uint64_t taken_kills);
  void TellGaps(const KillCounts& counts);
  void Tell(v1::GapEvent::Cause cause, uint64_t total, oombox_told& told, const char* detail);
  void TellGone();
  void NoteAgreement(bool stopped);
  void Remember(const LastSeen& seen);

  const Sources sources_;
  oombox_attachment& attachment_;
  std::mutex look_mutex_;  // guards all but counts_
  std::function<uint64_t()> pending_;
  Accounting accounting_;
  // Gaps on their way to the store, by what tells them: told once in a run.
  std::map<const oombox_told*, uint64_t> on_the_way_;
  uint64_t gone_on_the_way_ = 0;
  // Since when nothing is known to agree: the window of every gap.
  int64_t agreed_wall_ns_;
  uint64_t agreed_boottime_ns_;
  bool last_seen_failing_ = false;  // the log knows
  mutable std::mutex counts_mutex_;
  KillCounts counts_;
};

}  // namespace oombox
