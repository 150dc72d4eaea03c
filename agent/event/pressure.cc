#include "agent/event/pressure.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <utility>

#include "agent/common/text.h"
#include "agent/event/envelope.h"
#include "agent/event/event_id.h"
#include "agent/event/workload.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Duration DurationOf(uint64_t ns) {
  return TimeUtil::NanosecondsToDuration(static_cast<int64_t>(ns));
}

v1::PressureEvent::Cause CauseOf(PressureCause cause) {
  switch (cause) {
    case PressureCause::kWorkingSet:
      return v1::PressureEvent::CAUSE_WORKING_SET;
    case PressureCause::kStalls:
      return v1::PressureEvent::CAUSE_STALLS;
    case PressureCause::kRemoved:
      return v1::PressureEvent::CAUSE_REMOVED;
    case PressureCause::kLimitChanged:
      return v1::PressureEvent::CAUSE_LIMIT_CHANGED;
    case PressureCause::kNone:
      break;
  }
  return v1::PressureEvent::CAUSE_UNSPECIFIED;
}

void FillStat(const MemorySample& sample, v1::MemoryStat* out) {
  if (sample.anon_bytes) {
    out->set_anon_bytes(*sample.anon_bytes);
  }
  if (sample.file_bytes) {  // memory.stat's own file has the shmem in it
    out->set_file_bytes(*sample.file_bytes + sample.shmem_bytes.value_or(0));
  }
  if (sample.shmem_bytes) {
    out->set_shmem_bytes(*sample.shmem_bytes);
  }
  if (sample.kernel_bytes) {
    out->set_kernel_bytes(*sample.kernel_bytes);
  }
  if (sample.sock_bytes) {
    out->set_sock_bytes(*sample.sock_bytes);
  }
}

void FillLevel(const CgroupPressure& now, v1::CgroupLevel* out) {
  const MemorySample& sample = now.sample;
  out->set_id(now.cgroup.id);
  out->set_path(EscapeUntrusted(now.cgroup.path));
  if (sample.usage_bytes) {
    out->set_usage_bytes(*sample.usage_bytes);
  }
  if (sample.limit_bytes) {
    out->set_max_bytes(*sample.limit_bytes);
  }
  if (sample.high_bytes) {
    out->set_high_bytes(*sample.high_bytes);
  }
  FillStat(sample, out->mutable_stat());
  if (!FillEvents(sample, out->mutable_events())) {
    out->clear_events();
  }
}

void AddMissing(v1::PressureEvent* pressure, const char* field, const char* reason) {
  v1::MissingField* missing = pressure->add_missing();
  missing->set_field(field);
  missing->set_reason(reason);
}

// A reading of the curve has less than one that was told at once, and why it lacks something else,
// too, is not known any more.
void ListMissingOfCurve(const CgroupPressure& now, v1::PressureEvent* out) {
  const MemorySample& sample = now.sample;
  const auto fields = std::to_array<std::pair<const char*, bool>>(
      {{"cgroup.high_bytes", sample.high_bytes.has_value()},
       {"cgroup.stat", sample.anon_bytes.has_value()},
       {"cgroup.events", out->cgroup().has_events()},
       {"working_set_bytes", sample.working_set_bytes.has_value()},
       {"unreclaimable_bytes", sample.unreclaimable_bytes.has_value()},
       {"pressure.some_avg10_percent", sample.some_avg10.has_value()},
       {"pressure.some_total", sample.some_total_us.has_value()},
       {"pressure.full_total", sample.full_total_us.has_value()},
       {"pressure.reclaim", now.reclaim.has_value()},
       {"trend", now.trend.has_value()}});
  for (const auto& [field, is_known] : fields) {
    if (!is_known) {
      AddMissing(out, field,
                 "the agent that saw it ended before it was stored: the curve does not have it");
    }
  }
}

void ListMissing(const PressureChange& change, v1::PressureEvent* out) {
  const CgroupPressure& now = change.now;
  if (change.told_again) {
    ListMissingOfCurve(now, out);
    return;
  }
  if (!now.sample.some_avg10) {
    AddMissing(out, "pressure.some_avg10_percent",
               "no memory.pressure: the kernel's PSI is off, or it is cgroup v1");
  }
  if (!now.reclaim) {
    AddMissing(out, "pressure.reclaim", "no reclaim was seen, or it is not watched");
  }
  if (!now.trend && out->cause() != v1::PressureEvent::CAUSE_REMOVED) {
    AddMissing(out, "trend", "it was read too few times yet");
  }
}

}  // namespace

std::string PressureEventId(std::string_view boot_id, uint64_t cgroup_id, uint64_t boottime_ns) {
  return EventIdFromName(fmt::format("pressure/{}/{}/{}", boot_id, cgroup_id, boottime_ns));
}

v1::PressureEvent::State StateOf(PressureState state) {
  switch (state) {
    case PressureState::kOk:
      return v1::PressureEvent::STATE_OK;
    case PressureState::kWarning:
      return v1::PressureEvent::STATE_WARNING;
    case PressureState::kCritical:
      return v1::PressureEvent::STATE_CRITICAL;
    case PressureState::kUnknown:
      break;
  }
  return v1::PressureEvent::STATE_UNSPECIFIED;
}

bool FillEvents(const MemorySample& sample, v1::MemoryEvents* out) {
  if (!sample.events_high || !sample.events_max || !sample.events_oom || !sample.events_oom_kill) {
    return false;
  }
  out->set_high(*sample.events_high);
  out->set_max(*sample.events_max);
  out->set_oom(*sample.events_oom);
  out->set_oom_kill(*sample.events_oom_kill);
  return true;
}

void FillPressure(const CgroupPressure& now, v1::MemoryPressure* out) {
  const MemorySample& sample = now.sample;
  if (sample.some_avg10) {
    out->set_some_avg10_percent(*sample.some_avg10);
    out->set_some_avg60_percent(sample.some_avg60.value_or(0));
  }
  if (sample.full_avg10) {
    out->set_full_avg10_percent(*sample.full_avg10);
    out->set_full_avg60_percent(sample.full_avg60.value_or(0));
  }
  constexpr uint64_t kNsPerUs = 1000;
  if (sample.some_total_us) {
    *out->mutable_some_total() = DurationOf(*sample.some_total_us * kNsPerUs);
  }
  if (sample.full_total_us) {
    *out->mutable_full_total() = DurationOf(*sample.full_total_us * kNsPerUs);
  }
  if (!now.reclaim) {
    return;
  }
  v1::ReclaimStalls* reclaim = out->mutable_reclaim();
  reclaim->set_attribution(now.cgroup.is_node()        ? v1::ReclaimStalls::ATTRIBUTION_NODE
                           : now.reclaim->names_target ? v1::ReclaimStalls::ATTRIBUTION_TARGET
                                                       : v1::ReclaimStalls::ATTRIBUTION_TASK);
  reclaim->set_count(now.reclaim->counts.count);
  *reclaim->mutable_total() = DurationOf(now.reclaim->counts.stall_ns);
  *reclaim->mutable_longest() = DurationOf(now.reclaim->counts.longest_ns);
  reclaim->set_reclaimed_bytes(now.reclaim->counts.reclaimed_pages *
                               static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  reclaim->set_avg10_percent(now.reclaim->avg10);
  reclaim->set_avg60_percent(now.reclaim->avg60);
}

void FillTrend(const MemoryTrend& trend, v1::MemoryTrend* out) {
  out->set_growth_bytes_per_second(trend.growth_bytes_per_second);
  *out->mutable_window() = DurationOf(trend.window_ns);
  if (trend.seconds_to_limit) {
    *out->mutable_time_to_limit() =
        TimeUtil::MillisecondsToDuration(std::llround(*trend.seconds_to_limit * 1000));
  }
  out->set_confidence(trend.confidence == TrendConfidence::kHigh     ? v1::CONFIDENCE_HIGH
                      : trend.confidence == TrendConfidence::kMedium ? v1::CONFIDENCE_MEDIUM
                                                                     : v1::CONFIDENCE_LOW);
}

v1::Event AssemblePressure(const PressureChange& change, const EventContext& context,
                           const IdentifyCgroupFn& identify) {
  const WatchedCgroup& cgroup = change.now.cgroup;
  v1::Event event;
  event.set_event_id(PressureEventId(context.boot_id, cgroup.id, change.boottime_ns));
  FillEnvelope(context, event);
  FillTime(change.boottime_ns, context, event);
  event.set_final(true);
  v1::PressureEvent* pressure = event.mutable_pressure();
  pressure->set_state(StateOf(change.now.state));
  pressure->set_previous_state(StateOf(change.previous));
  pressure->set_cause(CauseOf(change.cause));
  pressure->set_whole_node(cgroup.is_node());
  FillLevel(change.now, pressure->mutable_cgroup());
  if (change.now.sample.working_set_bytes) {
    pressure->set_working_set_bytes(*change.now.sample.working_set_bytes);
  }
  if (change.now.sample.unreclaimable_bytes) {
    pressure->set_unreclaimable_bytes(*change.now.sample.unreclaimable_bytes);
  }
  FillPressure(change.now, pressure->mutable_pressure());
  if (change.now.trend && change.cause != PressureCause::kRemoved) {  // it goes nowhere any more
    FillTrend(*change.now.trend, pressure->mutable_trend());
  }
  if (change.previous_since_ns != 0) {
    *pressure->mutable_previous_since() = TimeUtil::NanosecondsToTimestamp(
        TimeUtil::TimestampToNanoseconds(event.event_time()) -
        static_cast<int64_t>(change.boottime_ns - change.previous_since_ns));
  }
  ListMissing(change, pressure);
  if (cgroup.is_node()) {
    pressure->set_workload("node");
    return event;
  }
  pressure->set_workload(WorkloadOfCgroup(pressure->cgroup().path()));  // escaped
  if (identify) {
    FillContainer(identify, *pressure);
  }
  return event;
}

}  // namespace oombox
