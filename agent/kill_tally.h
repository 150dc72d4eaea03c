#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "oombox/v1/event.pb.h"

namespace oombox {

// Which labels containers have in the metrics, of "namespace", "pod", "container", "owner",
// "image", "qos".
using LabelNames = std::vector<std::string>;
using LabelValues = std::vector<std::pair<std::string, std::string>>;

// The label names there are; anything else in the setting is an error.
bool IsContainerLabel(const std::string& name);

// The values of a container's labels; empty where it has none, which Prometheus takes for no label.
LabelValues LabelsOf(const v1::Container& container, const LabelNames& names);

// OOM events since the agent started, by the labels of whose they were. What is gone is still told,
// so that a scrape that comes later counts it; of too many the longest silent go. Thread-safe.
class KillTally {
 public:
  static constexpr size_t kMaxSeries = 1000;

  struct Series {
    LabelValues labels;
    uint64_t kills = 0;
    int64_t last_wall_ns = 0;
  };

  explicit KillTally(LabelNames names) : names_(std::move(names)) {}

  // A new OOM event.
  void Begin(const v1::Event& event);
  // A revision of an OOM event: that of a new one counts once, when its names have come, or none
  // will.
  void Stored(const v1::Event& event);
  std::vector<Series> Get() const;

 private:
  void Count(const v1::Event& event);

  const LabelNames names_;
  mutable std::mutex mutex_;
  std::set<std::string> waiting_;  // ids, few
  std::map<LabelValues, Series> series_;
};

}  // namespace oombox
