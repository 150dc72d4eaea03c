#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// Whose events are here: what every node said of its coverage last, and when, and what of its
// events has not come. The few bytes of its report that each list needs, so that a list does not
// parse thousands of reports. Thread-safe.
class CoverageBook {
 public:
  using Key = std::pair<std::string, std::string>;  // cluster, node name
  struct Entry {
    v1::Coverage coverage;  // of the node, by itself
    uint64_t unacknowledged = 0;
    uint64_t evicted = 0;  // nobody knows when
    uint64_t rejected = 0;
    std::string store_epoch;
    uint64_t last_seq = 0;
    int64_t received_wall_ns = 0;
  };

  void Load(const std::vector<EventStore::StoredReport>& reports);
  // A report that has been stored.
  void Note(const v1::NodeReport& report, int64_t received_wall_ns);
  // The store has all events of the node's store `store_epoch` up to `seq`, but those it refused.
  void NoteCommitted(const Key& key, const std::string& store_epoch, uint64_t seq);
  // The one with `seq` was refused for good; what came before it is here.
  void NoteRefused(const Key& key, const std::string& store_epoch, uint64_t seq);
  // Drops the nodes whose last report was received before `wall_ns`.
  void Forget(int64_t wall_ns);

  // The coverage of the events that are here; nothing: the node has not reported.
  std::optional<v1::Coverage> Find(const Key& key) const;
  // In the order of the keys, with the lock held: `visit` is quick and does not call back.
  void ForEach(const std::function<void(const Key&, const v1::Coverage& here,
                                        int64_t received_wall_ns)>& visit) const;
  bool Contains(const Key& key) const;

 private:
  struct Committed {
    std::string store_epoch;
    uint64_t seq = 0;
    uint64_t refused_seq = 0;  // of one that the node's report does not count yet
  };

  // With the lock held:
  Committed& HasCome(const Key& key, const std::string& store_epoch, uint64_t seq);
  v1::Coverage Here(const Key& key, const Entry& entry) const;

  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::map<Key, Committed> committed_;
};

}  // namespace oombox
