#include "agent/kill_tally.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace oombox {

namespace {

using Get = const std::string& (*)(const v1::Container&);

struct Label {
  std::string_view name;
  Get get;
};

constexpr std::array<Label, 6> kLabels = {{
    {"namespace", [](const v1::Container& c) -> const std::string& { return c.namespace_name(); }},
    {"pod", [](const v1::Container& c) -> const std::string& { return c.pod_name(); }},
    {"container", [](const v1::Container& c) -> const std::string& { return c.container_name(); }},
    {"owner", [](const v1::Container& c) -> const std::string& { return c.owner(); }},
    {"image", [](const v1::Container& c) -> const std::string& { return c.image_name(); }},
    {"qos", [](const v1::Container& c) -> const std::string& { return c.qos_class(); }},
}};

std::string ScopeName(v1::OomScope scope) {
  switch (scope) {
    case v1::OOM_SCOPE_CONTAINER:
      return "container";
    case v1::OOM_SCOPE_POD:
      return "pod";
    case v1::OOM_SCOPE_QOS:
      return "qos";
    case v1::OOM_SCOPE_NODE_ALLOCATABLE:
      return "node_allocatable";
    case v1::OOM_SCOPE_SYSTEM:
      return "system";
    case v1::OOM_SCOPE_NODE:
      return "node";
    case v1::OOM_SCOPE_CGROUP:
      return "cgroup";
    default:
      return "unknown";
  }
}

}  // namespace

bool IsContainerLabel(const std::string& name) {
  return std::any_of(kLabels.begin(), kLabels.end(),
                     [&](const Label& label) { return label.name == name; });
}

LabelValues LabelsOf(const v1::Container& container, const LabelNames& names) {
  LabelValues values;
  for (const std::string& name : names) {
    const auto label = std::find_if(kLabels.begin(), kLabels.end(),
                                    [&](const Label& at) { return at.name == name; });
    if (label != kLabels.end()) {
      values.emplace_back(name, label->get(container));
    }
  }
  return values;
}

void KillTally::Begin(const v1::Event& event) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(event.event_id());
}

void KillTally::Stored(const v1::Event& event) {
  const v1::Container& container = event.oom().container();
  const bool awaits_names = !container.container_id().empty() && container.pod_name().empty() &&
                            container.container_name().empty() && !event.final();
  const std::lock_guard lock(mutex_);
  if (!awaits_names && waiting_.erase(event.event_id()) > 0) {
    Count(event);
  }
}

void KillTally::Count(const v1::Event& event) {
  LabelValues labels = LabelsOf(event.oom().container(), names_);
  labels.emplace_back("scope", ScopeName(event.oom().scope()));
  const int64_t at = google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.event_time());
  Series& series = series_.try_emplace(labels, Series{.labels = labels}).first->second;
  ++series.kills;
  series.last_wall_ns = std::max(series.last_wall_ns, at);
  if (series_.size() > kMaxSeries) {
    series_.erase(
        std::min_element(series_.begin(), series_.end(), [](const auto& a, const auto& b) {
          return a.second.last_wall_ns < b.second.last_wall_ns;
        }));
  }
}

std::vector<KillTally::Series> KillTally::Get() const {
  const std::lock_guard lock(mutex_);
  std::vector<Series> all;
  for (const auto& [labels, series] : series_) {
    all.push_back(series);
  }
  return all;
}

}  // namespace oombox
