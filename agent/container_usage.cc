#include "agent/container_usage.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "agent/common/clock.h"
#include "agent/common/text.h"
#include "agent/event/pressure.h"
#include "agent/identity/cgroup_path.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kMaxBytes = size_t{400} << 10;

void FillIds(const CgroupIdentity& identity, v1::Container* out) {
  out->set_container_id(identity.container_id);
  out->set_pod_uid(identity.pod_uid);
  out->set_qos_class(identity.qos_class);
  out->set_runtime_name(identity.runtime_name);
}

void FillNames(const RuntimeContainer& known, v1::ContainerReport* out) {
  v1::Container* container = out->mutable_container();
  container->set_container_name(EscapeUntrusted(known.container_name));
  container->set_pod_name(EscapeUntrusted(known.pod_name));
  container->set_namespace_name(EscapeUntrusted(known.namespace_name));
  container->set_image_name(EscapeUntrusted(known.image_name));
  container->set_owner(EscapeUntrusted(known.owner));
  if (known.restart_count) {
    out->set_restarts(*known.restart_count);
  }
}

void FillMemory(const CgroupPressure& now, v1::ContainerReport* out) {
  const MemorySample& sample = now.sample;
  if (sample.usage_bytes) {
    out->set_usage_bytes(*sample.usage_bytes);
  }
  if (now.usage_max_1m_bytes) {
    out->set_usage_max_1m_bytes(*now.usage_max_1m_bytes);
  }
  if (sample.limit_bytes) {
    out->set_limit_bytes(*sample.limit_bytes);
  }
  if (sample.high_bytes) {
    out->set_high_bytes(*sample.high_bytes);
  }
  if (sample.working_set_bytes) {
    out->set_working_set_bytes(*sample.working_set_bytes);
  }
  if (sample.unreclaimable_bytes) {
    out->set_unreclaimable_bytes(*sample.unreclaimable_bytes);
  }
  if (now.trend) {
    FillTrend(*now.trend, out->mutable_trend());
  }
  out->set_state(StateOf(now.state));
  FillPressure(now, out->mutable_pressure());
  if (!FillEvents(sample, out->mutable_events())) {
    out->clear_events();
  }
  if (sample.boottime_ns != 0) {
    *out->mutable_sample_time() =
        TimeUtil::NanosecondsToTimestamp(WallFromBootNs(sample.boottime_ns));
  }
}

bool IsOfWholePods(CgroupKind kind) {
  return kind == CgroupKind::kPod || kind == CgroupKind::kQosClass ||
         kind == CgroupKind::kNodeAllocatable;
}

// Nothing when it is not to be listed.
std::optional<v1::ContainerReport> ReportOf(const CgroupPressure& now, ContainerSource* names) {
  const CgroupIdentity identity = IdentifyCgroup(now.cgroup.path);
  if (!now.sample.usage_bytes ||
      (IsOfWholePods(identity.kind) && now.state <= PressureState::kOk)) {
    return std::nullopt;
  }
  const bool is_container = identity.kind == CgroupKind::kContainer;
  const auto known =
      names == nullptr || !is_container ? std::nullopt : names->Known(identity.container_id);
  if (known && known->is_sandbox) {
    return std::nullopt;
  }
  v1::ContainerReport container;
  container.set_cgroup_id(now.cgroup.id);
  container.set_cgroup_path(EscapeUntrusted(now.cgroup.path));
  FillMemory(now, &container);
  FillIds(identity, container.mutable_container());
  if (known) {
    FillNames(*known, &container);
  }
  return container;
}

// In alarm first; then by how much of its limit the working set is: page cache alone fills many a
// cgroup. Those without a limit are last.
std::tuple<int, double, double> Nearness(const v1::ContainerReport& of) {
  const auto share = [&](uint64_t bytes) {
    return of.has_limit_bytes() && of.limit_bytes() > 0
               ? static_cast<double>(bytes) / static_cast<double>(of.limit_bytes())
               : -1;
  };
  return {of.state() >= v1::PressureEvent::STATE_WARNING ? of.state() : 0,
          share(of.has_working_set_bytes() ? of.working_set_bytes() : of.usage_bytes()),
          share(of.usage_bytes())};
}

}  // namespace

void FillContainers(const std::vector<CgroupPressure>& watched, ContainerSource* names,
                    v1::NodeReport& report) {
  std::vector<v1::ContainerReport> all;
  for (const CgroupPressure& now : watched) {
    if (now.cgroup.is_node()) {
      FillMemory(now, report.mutable_pressure_watch()->mutable_node());
    } else if (auto container = ReportOf(now, names)) {
      all.push_back(std::move(*container));
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return Nearness(a) > Nearness(b); });
  size_t bytes = 0;
  report.set_containers_total(static_cast<uint32_t>(all.size()));
  for (v1::ContainerReport& container : all) {
    bytes += container.ByteSizeLong();
    if (bytes > kMaxBytes) {
      break;
    }
    *report.add_containers() = std::move(container);
  }
}

void FillPressureWatch(const PressureWatch::Status& status, const ReclaimSource* reclaim,
                       v1::NodeReport& report) {
  v1::PressureWatch* watch = report.mutable_pressure_watch();
  watch->set_cgroups_total(static_cast<uint32_t>(status.total));
  watch->set_cgroups_watched(static_cast<uint32_t>(status.watched));
  watch->set_cut(status.cut);
  watch->set_curves(static_cast<uint32_t>(status.curves));
  watch->set_curves_refused(static_cast<uint32_t>(status.curves_refused));
  watch->set_warning(static_cast<uint32_t>(status.warning));
  watch->set_critical(static_cast<uint32_t>(status.critical));
  watch->set_damped(status.damped);
  watch->set_readings(status.readings);
  *watch->mutable_reading_time() =
      TimeUtil::NanosecondsToDuration(static_cast<int64_t>(status.reading_ns));
  watch->set_damaged_files(status.damaged_files);
  watch->set_stretch(status.stretch);
  if (reclaim == nullptr) {
    return;
  }
  const ReclaimSource::Health health = reclaim->health();
  v1::ReclaimWatch* out = watch->mutable_reclaim();
  out->set_attribution(health.names_target ? v1::ReclaimStalls::ATTRIBUTION_TARGET
                                           : v1::ReclaimStalls::ATTRIBUTION_TASK);
  out->set_reclaims(health.reclaims);
  out->set_lost(health.lost);
  *out->mutable_run_time() = TimeUtil::NanosecondsToDuration(static_cast<int64_t>(health.run_ns));
  out->set_disarmed(health.disarmed);
}

void FillNamesHealth(const ContainerWatch::Status& status, v1::NodeReport& report) {
  v1::ContainerNames* counts = report.mutable_container_names();
  counts->set_known(status.known);
  counts->set_remembered(status.remembered);
  counts->set_failed_calls(status.failed_calls);
  counts->set_refused(status.refused);
  counts->set_unanswered(status.unanswered);
  v1::StageHealth* stage = report.add_stages();
  stage->set_name("names");
  if (status.error.empty()) {
    stage->set_state(v1::StageHealth::STATE_OK);
    return;
  }
  stage->set_state(v1::StageHealth::STATE_STALLED);
  stage->set_reason("the container runtime does not answer: " + status.error);
  *stage->mutable_stalled_for() = TimeUtil::NanosecondsToDuration(status.silent_for.count());
}

}  // namespace oombox
