#include "agent/reconciler.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "agent/common/clock.h"
#include "agent/last_seen.h"

namespace oombox {

Reconciler::Reconciler(Sources sources)
    : sources_(std::move(sources)),
      attachment_(sources_.probe->attachment()),
      accounting_(attachment_),
      agreed_wall_ns_(static_cast<int64_t>(attachment_.attach_wall_ns)),
      agreed_boottime_ns_(attachment_.attach_boottime_ns) {
  const auto before = ReadLastSeen(sources_.last_seen_path);
  if (before && *before && (*before)->boot_id == sources_.session.boot_id &&
      (*before)->boottime_ns > 0) {
    agreed_wall_ns_ = (*before)->wall_ns;
    agreed_boottime_ns_ = (*before)->boottime_ns;
  }
}

void Reconciler::TellAbsence() {
  const auto before = ReadLastSeen(sources_.last_seen_path);
  const auto journal_id = sources_.journal->LastId();
  if (sources_.probe->info().adopted || attachment_.base_state != OOMBOX_BASE_READ || !journal_id ||
      (before && !*before)) {
    return;
  }
  std::optional<Gap> gap;
  if (before) {
    // Without what the programs have seen since they were attached: that becomes events.
    gap = GapBetween(**before,
                     {.boot_id = sources_.session.boot_id,
                      .kernel_kills = attachment_.base_kernel_kills - attachment_.base_kills -
                                      attachment_.base_double_counted,
                      .journal_id = *journal_id,
                      .wall_ns = WallNowNs(),
                      .boottime_ns = BootNowNs()});
  } else {
    gap = Gap{.cause = v1::GapEvent::CAUSE_NOT_RUNNING,
              .start_wall_ns = WallNowNs(),
              .end_wall_ns = WallNowNs(),
              .detail = "kills since the last run cannot be counted: " + before.error().message,
              .key = sources_.session.boot_id};
  }
  if (!gap) {
    return;
  }
  if (before && (*before)->boot_id != sources_.session.boot_id) {
    agreed_boottime_ns_ = 0;  // all of this boot
  }
  Report(std::move(*gap));
  agreed_boottime_ns_ = attachment_.attach_boottime_ns;
}

// The attachment has seen every commit; one that was made anew since knows nothing of the file.
void Reconciler::TellDamagedJournal(Gap gap, int64_t derived) {
  const auto last = static_cast<int64_t>(attachment_.journal_last_id);
  if (sources_.probe->info().adopted && last >= derived) {
    gap.count = static_cast<uint64_t>(last - derived);
    attachment_.told_damaged += *gap.count;
  }
  attachment_.journal_last_id = 0;
  Report(std::move(gap));
}

void Reconciler::Report(Gap gap) {
  if (gap.count != 0U) {
    spdlog::error("kills lost: {} ({})", gap.count ? std::to_string(*gap.count) : "unknown",
                  gap.detail);
  }
  gap.cgroups = sources_.evidence->Grown();
  sources_.events->ReportGap(std::move(gap), sources_.session,
                             sources_.evidence->Logged(agreed_boottime_ns_, BootNowNs()));
}

void Reconciler::Watch(std::function<uint64_t()> pending) {
  const std::lock_guard lock(mutex_);
  pending_ = std::move(pending);
}

void Reconciler::Look() {
  const std::lock_guard lock(mutex_);
  // The kernel's count first: a kill in between must not look like one that was missed.
  const auto kernel = sources_.kernel_kills();
  counts_ = accounting_.Look(kernel, sources_.probe->Counters(),
                             sources_.probe->RecursionMisses().value_or(0));
  TellGaps();
  NoteAgreement();
}

void Reconciler::TellGaps() {
  Tell(v1::GapEvent::CAUSE_RING_FULL, counts_.seen.dropped_ring_full, attachment_.told_ring_full,
       "the kernel's ring was full: the journal could not keep up, or no agent ran");
  Tell(v1::GapEvent::CAUSE_RECURSION, counts_.recursion, attachment_.told_recursion,
       "the kernel skipped the program, which was running on that CPU already");
  Tell(v1::GapEvent::CAUSE_UNEXPLAINED, counts_.unexplained, attachment_.told_unexplained,
       "the kernel counted kills that the programs did not see");
}

// The same gap told again (killed before it was noted) has the same key and is the same event.
void Reconciler::Tell(v1::GapEvent::Cause cause, uint64_t total, __u64& told, const char* detail) {
  if (total <= told) {
    return;
  }
  Report({.cause = cause,
          .start_wall_ns = agreed_wall_ns_,
          .end_wall_ns = WallNowNs(),
          .count = total - told,
          .detail = detail,
          .key = fmt::format("{}/{}", attachment_.attach_boottime_ns, told)});
  if (sources_.events->Flush()) {
    told = total;
  }
}

// Only a moment without a kill in flight will do: the kernel's count read between two equal looks
// at ours, every record of the ring in the journal, every difference a stored gap.
void Reconciler::NoteAgreement() {
  if (pending_ == nullptr || attachment_.base_state != OOMBOX_BASE_READ) {
    return;
  }
  const oombox_kill_counters before = sources_.probe->Counters();
  const uint64_t pending = pending_();
  const auto journal_id = sources_.journal->LastId();
  const auto kernel = sources_.kernel_kills();
  const oombox_kill_counters after = sources_.probe->Counters();
  const bool quiet = after.kills == before.kills && after.submitted == before.submitted &&
                     before.submitted + before.dropped_ring_full == before.kills && pending == 0;
  if (!quiet || !journal_id || !kernel || !sources_.events->GapsStored()) {
    return;
  }
  const uint64_t ours = before.kills - attachment_.base_kills + before.double_counted -
                        attachment_.base_double_counted;
  if (*kernel - attachment_.base_kernel_kills !=
      ours + attachment_.told_recursion + attachment_.told_unexplained) {
    return;
  }
  agreed_wall_ns_ = WallNowNs();
  agreed_boottime_ns_ = BootNowNs();
  sources_.evidence->NoteAgreement(*kernel);
  const auto written = WriteLastSeen(sources_.last_seen_path, {.boot_id = sources_.session.boot_id,
                                                               .kernel_kills = *kernel,
                                                               .journal_id = *journal_id,
                                                               .wall_ns = agreed_wall_ns_,
                                                               .boottime_ns = agreed_boottime_ns_});
  if (!written && !std::exchange(last_seen_failing_, true)) {
    spdlog::warn("{}", written.error().message);
  } else if (written) {
    last_seen_failing_ = false;
  }
}

KillCounts Reconciler::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::optional<uint64_t> Reconciler::KernelKills() const {
  const auto kernel = sources_.kernel_kills();
  if (!kernel || attachment_.base_state != OOMBOX_BASE_READ) {
    return std::nullopt;
  }
  return *kernel - attachment_.base_kernel_kills;
}

}  // namespace oombox
