#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// What every node said of its coverage last, and when: the few bytes of its report that each list
// needs, so that a list does not parse thousands of reports. Thread-safe.
class CoverageBook {
 public:
  using Key = std::pair<std::string, std::string>;  // cluster, node name
  struct Entry {
    v1::Coverage coverage;
    int64_t received_wall_ns = 0;
  };

  void Load(const std::vector<EventStore::StoredReport>& reports);
  // A report that has been stored.
  void Note(const v1::NodeReport& report, int64_t received_wall_ns);
  // Drops the nodes whose last report was received before `wall_ns`.
  void Forget(int64_t wall_ns);

  // In the order of the keys, with the lock held: `visit` is quick and does not call back.
  void ForEach(const std::function<void(const Key&, const Entry&)>& visit) const;
  bool Contains(const Key& key) const;

 private:
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

}  // namespace oombox
