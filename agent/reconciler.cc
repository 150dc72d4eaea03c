#include "agent/reconciler.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "agent/common/clock.h"

namespace oombox {

namespace {

// A report reads it while a look may lower it.
std::atomic_ref<__u64> BaseOfKernel(oombox_attachment& attachment) {
  return std::atomic_ref<__u64>(attachment.base_kernel_kills);
}

}  // namespace

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

// What was found is noted before it is told: a start that fails half-way must not forget it, and
// the next one could not find it again, because the journal grows meanwhile.
void Reconciler::LookForAbsence(uint64_t taken_kills) {
  const auto before = ReadLastSeen(sources_.last_seen_path);
  const auto journal_id = sources_.journal->LastId();
  if (attachment_.base_state != OOMBOX_BASE_READ || !journal_id) {
    return;  // nothing to compare with, or not now
  }
  attachment_.absence_kills = 0;
  // What the programs have seen before the base is in the journal by now. That tells within a boot;
  // after another, only what was taken is known to be of this one.
  const bool other_boot = before && *before && (*before)->boot_id != sources_.session.boot_id;
  const uint64_t kernel_kills = attachment_.base_kernel_kills;
  const LastSeen now{
      .boot_id = sources_.session.boot_id,
      .kernel_kills = kernel_kills - (other_boot ? std::min(kernel_kills, taken_kills) : 0),
      .journal_id = *journal_id,
      .wall_ns = WallNowNs(),
      .boottime_ns = BootNowNs()};
  if (before && *before) {
    const auto gap = GapBetween(**before, now);
    attachment_.absence_kills = gap ? gap->count.value_or(0) : 0;
    attachment_.absence_unknown = gap && !gap->count ? 1 : 0;
    if ((*before)->boot_id != sources_.session.boot_id) {
      agreed_boottime_ns_ = 0;  // all of this boot, and in the window the end of the earlier one
      agreed_wall_ns_ = (*before)->wall_ns;
    }
  } else if (before) {
    Remember(now);  // the first life: the next one knows of it, also when this agrees with nobody
  } else {
    Report({.cause = v1::GapEvent::CAUSE_NOT_RUNNING,
            .start_wall_ns = WallNowNs(),
            .end_wall_ns = WallNowNs(),
            .detail = "kills since the last run cannot be counted: " + before.error().message,
            .key = sources_.session.boot_id});
  }
  attachment_.absence_state = OOMBOX_ABSENCE_TELLING;
}

void Reconciler::TellAbsence(uint64_t taken_kills) {
  const std::lock_guard lock(look_mutex_);
  if (attachment_.absence_state == OOMBOX_ABSENCE_NOT_LOOKED) {
    LookForAbsence(taken_kills);
  }
  if (attachment_.absence_state != OOMBOX_ABSENCE_TELLING) {
    return;
  }
  const bool unknown = attachment_.absence_unknown != 0;
  if (attachment_.absence_kills > 0 || unknown) {
    Report({.cause = v1::GapEvent::CAUSE_NOT_RUNNING,
            .start_wall_ns = agreed_wall_ns_,
            .end_wall_ns = static_cast<int64_t>(attachment_.attach_wall_ns),
            .count = unknown ? std::nullopt : std::optional<uint64_t>(attachment_.absence_kills),
            .detail = agreed_boottime_ns_ == 0 || unknown
                          ? "no agent was attached when this boot began; kills at the end of the "
                            "earlier boot are unknown"
                          : "the kernel killed while no agent was attached",
            .key = fmt::format("absence/{}", attachment_.attach_boottime_ns)});
  }
  if (sources_.events->Flush()) {
    attachment_.absence_state = OOMBOX_ABSENCE_TOLD;
  }
  agreed_boottime_ns_ = std::max<uint64_t>(agreed_boottime_ns_, attachment_.attach_boottime_ns);
  agreed_wall_ns_ = std::max(agreed_wall_ns_, static_cast<int64_t>(attachment_.attach_wall_ns));
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
  const std::lock_guard lock(look_mutex_);
  pending_ = std::move(pending);
}

void Reconciler::Look() {
  const std::lock_guard lock(look_mutex_);
  const auto [kernel, seen] =
      accounting_.Read(sources_.kernel_kills, [this] { return sources_.probe->Counters(); });
  if (const uint64_t ahead = accounting_.Ahead(seen, sources_.kernel_kills()); ahead > 0) {
    BaseOfKernel(attachment_).fetch_sub(std::min<uint64_t>(ahead, attachment_.base_kernel_kills));
  }
  const KillCounts counts =
      accounting_.Look(kernel, seen, sources_.probe->RecursionMisses().value_or(0));
  {
    const std::lock_guard counts_lock(counts_mutex_);
    counts_ = counts;
  }
  TellGaps(counts);
  NoteAgreement(false);
}

void Reconciler::Finish() {
  const std::lock_guard lock(look_mutex_);
  NoteAgreement(true);
}

void Reconciler::TellGaps(const KillCounts& counts) {
  Tell(v1::GapEvent::CAUSE_RING_FULL,
       counts.seen.dropped_ring_full - attachment_.base_dropped_ring_full, attachment_.ring_full,
       "the kernel's ring was full: the journal could not keep up, or no agent ran");
  Tell(v1::GapEvent::CAUSE_RECURSION, counts.recursion, attachment_.recursion,
       "the kernel skipped the program, which was running on that CPU already");
  Tell(v1::GapEvent::CAUSE_UNEXPLAINED, counts.unexplained, attachment_.unexplained,
       "the kernel counted kills that the programs did not see");
  Tell(v1::GapEvent::CAUSE_DAMAGED_FILE, attachment_.damaged.telling, attachment_.damaged,
       "the journal was damaged or is gone, with what was in it");
  TellGone();
}

// One gap at a time for each cause: what is being told keeps its count and its key until it is
// stored, also across a restart; what is lost meanwhile is the next one.
void Reconciler::Tell(v1::GapEvent::Cause cause, uint64_t total, oombox_told& told,
                      const char* detail) {
  if (told.telling <= told.told) {
    told.telling = total;
  }
  if (told.telling <= told.told) {
    return;
  }
  if (std::exchange(on_the_way_[&told], told.telling) != told.telling) {
    Report({.cause = cause,
            .start_wall_ns = agreed_wall_ns_,
            .end_wall_ns = WallNowNs(),
            .count = told.telling - told.told,
            .detail = detail,
            .key = fmt::format("{}/{}", attachment_.attach_boottime_ns, told.told)});
  }
  if (sources_.events->Flush()) {
    told.told = told.telling;
  }
}

void Reconciler::TellGone() {
  const uint64_t gone = attachment_.gone_wall_ns;
  if (gone == attachment_.gone_told) {
    return;
  }
  if (std::exchange(gone_on_the_way_, gone) != gone) {
    Report({.cause = v1::GapEvent::CAUSE_DAMAGED_FILE,
            .start_wall_ns = static_cast<int64_t>(attachment_.attach_wall_ns),
            .end_wall_ns = static_cast<int64_t>(gone),
            .detail = fmt::format("journal or event store are damaged or gone: {} kills of this "
                                  "attachment were in them, and what was left of earlier ones; how "
                                  "many of them a collector has is not known here",
                                  attachment_.gone_kills),
            .key = fmt::format("gone/{}", gone)});
  }
  if (sources_.events->Flush()) {
    attachment_.gone_told = gone;
  }
}

// Only a moment without a kill in flight will do: the kernel's count read between two equal looks
// at ours, every record of the ring in the journal, every difference a stored gap.
void Reconciler::NoteAgreement(bool stopped) {
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
      ours + attachment_.recursion.told + attachment_.unexplained.told) {
    return;
  }
  agreed_wall_ns_ = WallNowNs();
  agreed_boottime_ns_ = BootNowNs();
  sources_.evidence->NoteAgreement(*kernel);
  Remember({.boot_id = sources_.session.boot_id,
            .kernel_kills = *kernel,
            .journal_id = *journal_id,
            .wall_ns = agreed_wall_ns_,
            .boottime_ns = agreed_boottime_ns_,
            .stopped = stopped});
}

void Reconciler::Remember(const LastSeen& seen) {
  const auto written = WriteLastSeen(sources_.last_seen_path, seen);
  if (!written && !std::exchange(last_seen_failing_, true)) {
    spdlog::warn("{}", written.error().message);
  } else if (written) {
    last_seen_failing_ = false;
  }
}

KillCounts Reconciler::counts() const {
  const std::lock_guard lock(counts_mutex_);
  return counts_;
}

std::optional<uint64_t> Reconciler::KernelKills() const {
  const auto kernel = sources_.kernel_kills();
  if (!kernel || attachment_.base_state != OOMBOX_BASE_READ) {
    return std::nullopt;
  }
  return *kernel - BaseOfKernel(attachment_).load();
}

}  // namespace oombox
