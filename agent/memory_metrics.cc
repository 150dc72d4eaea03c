#include "agent/memory_metrics.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace oombox {

namespace {

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / kNsPerSecond;
}

// What containers of the same labels add up to; absent: no container of them knows it.
struct Sum {
  int members = 0;
  std::optional<double> usage = {};
  std::optional<double> working_set = {};
  std::optional<double> unreclaimable = {};
  std::optional<double> limit = {};
  std::optional<double> usage_max = {};
  std::optional<double> some_seconds = {};
  std::optional<double> full_seconds = {};
  std::optional<double> reclaim_seconds = {};
  double state = 0;
};

void Add(std::optional<double>& to, bool has, double value) {
  if (has) {
    to = to.value_or(0) + value;
  }
}

void Raise(std::optional<double>& to, bool has, double value) {
  if (has) {
    to = std::max(to.value_or(0), value);
  }
}

double Number(uint64_t value) { return static_cast<double>(value); }

void AddTo(Sum& sum, const v1::ContainerReport& of) {
  Add(sum.usage, of.has_usage_bytes(), Number(of.usage_bytes()));
  Add(sum.working_set, of.has_working_set_bytes(), Number(of.working_set_bytes()));
  Add(sum.unreclaimable, of.has_unreclaimable_bytes(), Number(of.unreclaimable_bytes()));
  // Bounded is the sum only when all are.
  const bool bounded = of.has_limit_bytes() && (sum.members == 0 || sum.limit);
  sum.limit =
      bounded ? std::optional(sum.limit.value_or(0) + Number(of.limit_bytes())) : std::nullopt;
  ++sum.members;
  Add(sum.usage_max, of.has_usage_max_1m_bytes(), Number(of.usage_max_1m_bytes()));
  // A sum of counters would fall when one of them goes, which reads as a restart and all the rest
  // as new: of a container and its successor under the same name it is the higher.
  const v1::MemoryPressure& pressure = of.pressure();
  Raise(sum.some_seconds, pressure.has_some_total(), Seconds(pressure.some_total()));
  Raise(sum.full_seconds, pressure.has_full_total(), Seconds(pressure.full_total()));
  Raise(sum.reclaim_seconds, pressure.has_reclaim(), Seconds(pressure.reclaim().total()));
  sum.state = std::max(sum.state, of.state() == v1::PressureEvent::STATE_CRITICAL  ? 2.0
                                  : of.state() == v1::PressureEvent::STATE_WARNING ? 1.0
                                                                                   : 0.0);
}

class Family {
 public:
  Family(MetricList& list, MetricList::Labels labels) : list_(list), labels_(std::move(labels)) {}

  void Gauge(const std::string& name, const std::string& help, std::optional<double> value) {
    if (value) {
      list_.Gauge(name, help, *value, labels_);
    }
  }
  void Counter(const std::string& name, const std::string& help, std::optional<double> value) {
    if (value) {
      list_.Counter(name, help, *value, labels_);
    }
  }

 private:
  MetricList& list_;
  const MetricList::Labels labels_;
};

// `tells_apart`: the labels say which container it is, so that counters have a meaning.
void AddSum(const Sum& sum, const LabelValues& labels, bool tells_apart, MetricList& list) {
  Family family(list, labels);
  family.Gauge("oombox_memory_usage_bytes", "Memory charged to the container.", sum.usage);
  family.Gauge("oombox_memory_working_set_bytes", "Usage without inactive page cache.",
               sum.working_set);
  family.Gauge("oombox_memory_unreclaimable_bytes",
               "Of the usage what the kernel cannot take back without swap.", sum.unreclaimable);
  family.Gauge("oombox_memory_usage_max_1m_bytes",
               "The highest usage of the last minute, spikes between readings included.",
               sum.usage_max);
  family.Gauge("oombox_memory_limit_bytes", "The container's own limit; no sample: it has none.",
               sum.limit);
  family.Gauge("oombox_memory_pressure_state", "0 ok, 1 warning, 2 critical.", sum.state);
  if (!tells_apart) {
    return;
  }
  family.Counter("oombox_memory_pressure_waiting_seconds_total",
                 "Time in which some tasks waited for memory (PSI some).", sum.some_seconds);
  family.Counter("oombox_memory_pressure_stalled_seconds_total",
                 "Time in which all tasks waited for memory (PSI full).", sum.full_seconds);
  family.Counter("oombox_memory_reclaim_seconds_total",
                 "Time tasks spent in direct reclaim at a limit, as measured; all tasks together.",
                 sum.reclaim_seconds);
}

void AddWatch(const v1::PressureWatch& watch, MetricList& list) {
  list.Gauge("oombox_watched_cgroups", "Memory cgroups whose memory is watched.",
             watch.cgroups_watched());
  list.Gauge("oombox_cgroups", "Memory cgroups there are.", watch.cgroups_total());
  list.Gauge("oombox_curves", "Cgroups whose curve is kept.", watch.curves());
  list.Gauge("oombox_curves_refused", "Cgroups whose curve finds no room (curve-max-bytes).",
             watch.curves_refused());
  list.Counter("oombox_memory_readings_total", "Readings of cgroups' files.",
               Number(watch.readings()));
  list.Counter("oombox_memory_reading_seconds_total", "CPU time these readings took.",
               Seconds(watch.reading_time()));
  list.Gauge("oombox_memory_reading_stretch",
             "So many times less often than usual is read what is far from its limit (3 at most, "
             "above 16 a quarter of it; at 64 also what is near): reading took more than its "
             "budget.",
             watch.stretch());
  list.Counter("oombox_pressure_events_lost_total",
               "Changes of state that the store did not take in time.",
               Number(watch.events_lost()));
  if (!watch.has_reclaim()) {
    return;
  }
  list.Counter("oombox_reclaims_total", "Direct reclaims that were measured.",
               Number(watch.reclaim().reclaims()));
  list.Counter("oombox_reclaims_lost_total", "Direct reclaims that could not be measured.",
               Number(watch.reclaim().lost()));
  list.Counter("oombox_reclaim_bpf_run_seconds_total",
               "Time spent in the programs at the reclaim tracepoints.",
               Seconds(watch.reclaim().run_time()));
}

}  // namespace

void AddMemoryMetrics(const v1::NodeReport& report, const LabelNames& labels, MetricList& list) {
  std::map<LabelValues, Sum> sums;
  for (int i = 0; i < std::min(report.containers_size(), kMaxContainerSeries); ++i) {
    const v1::ContainerReport& container = report.containers(i);
    LabelValues values = LabelsOf(container.container(), labels);
    if (container.container().pod_name().empty() &&
        container.container().container_name().empty()) {
      values.emplace_back("cgroup", container.cgroup_path());  // nobody's container, or unnamed yet
    }
    AddTo(sums[std::move(values)], container);
  }
  const auto has = [&](const char* name) {
    return std::find(labels.begin(), labels.end(), name) != labels.end();
  };
  const bool tells_apart = has("namespace") && has("pod") && has("container");
  for (const auto& [values, sum] : sums) {
    AddSum(sum, values, tells_apart, list);
  }
  if (report.has_pressure_watch()) {
    AddWatch(report.pressure_watch(), list);
  }
}

void AddKillMetrics(const std::vector<KillTally::Series>& kills, MetricList& list) {
  for (const KillTally::Series& series : kills) {
    list.Counter("oombox_oom_kills_total",
                 "OOM events since the agent started, by whose memory it was and whose limit.",
                 Number(series.kills), series.labels);
  }
  for (const KillTally::Series& series : kills) {
    list.Gauge("oombox_last_oom_kill_timestamp_seconds", "Unix time of the last of them.",
               static_cast<double>(series.last_wall_ns) / kNsPerSecond, series.labels);
  }
}

}  // namespace oombox
