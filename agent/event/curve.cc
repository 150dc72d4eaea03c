#include "agent/event/curve.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "agent/common/text.h"
#include "agent/event/assemble_parts.h"
#include "agent/event/pressure.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

// Wall times as far from the event's as the boottimes are.
class Clock {
 public:
  explicit Clock(const v1::Event& event)
      : wall_ns_(TimeUtil::TimestampToNanoseconds(event.event_time())),
        boottime_ns_(static_cast<int64_t>(event.boottime_ns())) {}
  google::protobuf::Timestamp operator()(uint64_t boottime_ns) const {
    return TimeUtil::NanosecondsToTimestamp(wall_ns_ + static_cast<int64_t>(boottime_ns) -
                                            boottime_ns_);
  }

 private:
  int64_t wall_ns_;
  int64_t boottime_ns_;
};

template <typename Value, typename Setter>
void SetIfKnown(const std::optional<Value>& value, Setter set) {
  if (value) {
    set(*value);
  }
}

void FillPoint(const MemorySample& sample, const Clock& clock, v1::CurvePoint* out) {
  *out->mutable_time() = clock(sample.boottime_ns);
  SetIfKnown(sample.usage_bytes, [&](uint64_t v) { out->set_usage_bytes(v); });
  SetIfKnown(sample.usage_max_bytes, [&](uint64_t v) { out->set_usage_max_bytes(v); });
  SetIfKnown(sample.working_set_bytes, [&](uint64_t v) { out->set_working_set_bytes(v); });
  SetIfKnown(sample.anon_bytes, [&](uint64_t v) { out->set_anon_bytes(v); });
  SetIfKnown(sample.file_bytes, [&](uint64_t v) { out->set_file_bytes(v); });
  SetIfKnown(sample.shmem_bytes, [&](uint64_t v) { out->set_shmem_bytes(v); });
  SetIfKnown(sample.kernel_bytes, [&](uint64_t v) { out->set_kernel_bytes(v); });
  SetIfKnown(sample.sock_bytes, [&](uint64_t v) { out->set_sock_bytes(v); });
  SetIfKnown(sample.limit_bytes, [&](uint64_t v) { out->set_limit_bytes(v); });
  SetIfKnown(sample.tasks, [&](uint32_t v) { out->set_tasks(v); });
  SetIfKnown(sample.some_avg10, [&](double v) { out->set_some_avg10_percent(v); });
  SetIfKnown(sample.full_avg10, [&](double v) { out->set_full_avg10_percent(v); });
}

// What the kill's own record says of the level whose curve it is.
void FillPointAtKill(const v1::CgroupLevel& level, const Clock& clock, uint64_t killed_ns,
                     v1::CurvePoint* out) {
  *out->mutable_time() = clock(killed_ns);
  out->set_provenance(v1::PROVENANCE_AT_KILL);
  out->set_usage_bytes(level.usage_bytes());
  if (level.has_max_bytes()) {
    out->set_limit_bytes(level.max_bytes());
  }
  const v1::MemoryStat& stat = level.stat();
  if (stat.has_inactive_file_bytes()) {
    out->set_working_set_bytes(level.usage_bytes() -
                               std::min<uint64_t>(stat.inactive_file_bytes(), level.usage_bytes()));
  }
  if (stat.has_anon_bytes()) {
    out->set_anon_bytes(stat.anon_bytes());
  }
  if (stat.has_shmem_bytes()) {
    out->set_shmem_bytes(stat.shmem_bytes());
  }
  if (stat.has_file_bytes()) {
    out->set_file_bytes(stat.file_bytes() -
                        std::min<uint64_t>(stat.shmem_bytes(), stat.file_bytes()));
  }
  if (stat.has_kernel_bytes()) {
    out->set_kernel_bytes(stat.kernel_bytes());
  }
  if (stat.has_sock_bytes()) {
    out->set_sock_bytes(stat.sock_bytes());
  }
}

// The cgroups whose memory may say how it came to this, the best first; 0 is the node.
std::vector<uint64_t> WhoseHistory(const v1::OomEvent& oom) {
  std::vector<uint64_t> ids;
  if (oom.scope() == v1::OOM_SCOPE_NODE) {
    return {0};
  }
  if (oom.limit_hit().has_cgroup_id()) {
    ids.push_back(oom.limit_hit().cgroup_id());
  }
  if (oom.cgroups_size() > 0) {
    ids.push_back(oom.cgroups(0).id());
  }
  return ids;
}

void FillCurve(const MemoryHistory& history, v1::Event& event) {
  const Clock clock(event);
  v1::MemoryCurve* curve = event.mutable_oom()->mutable_curve();
  if (!history.cgroup.is_node()) {
    curve->set_cgroup_id(history.cgroup.id);
    curve->set_cgroup_path(EscapeUntrusted(history.cgroup.path));
  }
  for (const MemorySample& sample : history.points) {
    FillPoint(sample, clock, curve->add_points());
  }
  if (history.points.back().limit_bytes) {
    curve->set_limit_bytes(*history.points.back().limit_bytes);
  }
  for (const MemoryHistory::Gap& gap : history.gaps) {
    v1::CurveGap* out = curve->add_gaps();
    *out->mutable_start_time() = clock(gap.begin_ns);
    *out->mutable_end_time() = clock(gap.end_ns);
    out->set_reason(gap.reason);
  }
  for (const v1::CgroupLevel& level : event.oom().cgroups()) {
    if (level.id() == history.cgroup.id && level.has_usage_bytes()) {
      FillPointAtKill(level, clock, event.boottime_ns(), curve->add_points());
      break;
    }
  }
}

}  // namespace

void AddHistory(const HistorySource* history, v1::Event& event) {
  v1::OomEvent& oom = *event.mutable_oom();
  if (history == nullptr) {
    AddMissing(oom.mutable_quality(), "curve", "nobody watched the memory of the node's cgroups");
    return;
  }
  for (const uint64_t id : WhoseHistory(oom)) {
    const auto since = history->AlarmedSince(id, event.boottime_ns());
    if (since) {
      oom.set_pressure_event_id(PressureEventId(event.node().boot_id(), id, *since));
    }
    if (const auto found = history->Before(id, event.boottime_ns())) {
      FillCurve(*found, event);
      return;
    }
    if (since) {  // it was watched, and its curve found no room
      break;
    }
  }
  AddMissing(oom.mutable_quality(), "curve",
             "its cgroup was not read before the kill: it was too new, or found no room "
             "(curve-max-bytes)");
}

}  // namespace oombox
