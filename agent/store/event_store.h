#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/common/clock.h"
#include "agent/common/result.h"
#include "agent/store/filter.h"
#include "agent/store/store_stats.h"
#include "oombox/v1/event.pb.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

struct StoredEvent {
  uint64_t seq = 0;
  v1::Event event;
};

struct ListQuery {
  Filter filter = {};
  v1::EventView view = v1::EVENT_VIEW_BASIC;
  size_t limit = 100;
  // Stops before the serialized events exceed this, but returns at least one while there is one.
  size_t max_bytes = 16u << 20;
  // Go on after this event (newest first); both 0 for the first page.
  int64_t before_time_ns = 0;
  uint64_t before_seq = 0;
};

struct SeqBounds {
  uint64_t evicted = 0;  // everything up to here may be gone
  uint64_t last = 0;
  int64_t evicted_time_ns = 0;  // of the newest event that is gone; 0: none is
};

// The most bytes an event may have, serialized.
inline constexpr size_t kMaxEventBytes = 256u << 10;

// Whether Put would take the event: a well-formed id, a revision, not too big. kInvalid says
// what is wrong, for whoever has to refuse a single event of a batch.
Status CheckStorable(const v1::Event& event);

// Events of a node (in the agent) or of a cluster (in the collector), and the nodes' last reports.
//
//  * One row per event id; a higher revision replaces a lower one and gets a new `seq`, so that
//    readers by `seq` (uplink, watch) see it again. A revision that is not higher changes nothing.
//  * Annotations made here are laid over every later revision and count as a revision of their
//    own: the revision read may be higher than the one put, which is what Put compares with.
//  * Put returns after COMMIT with synchronous=FULL.
//  * The epoch is random, made with the file: it tells whose numbering a `seq` belongs to.
//  * Bounded by bytes and age: the oldest go first, acknowledged or not (the latter are counted).
//  * A row whose bytes do not parse is left out and counted: it must not hold up the others.
//
// Thread-safe. A damaged file is moved aside as <path>.corrupt-<time>, a newer schema is refused.
class EventStore {
 public:
  struct Options {
    std::string path;
    uint64_t max_bytes = 256ull << 20;
    int64_t max_age_seconds = int64_t{30} * 86400;
    // Nobody will acknowledge (collector, or agent without one): eviction is not counted as loss.
    bool expects_acknowledgement = false;
    std::function<int64_t()> wall_now = WallNowNs;
    std::function<uint64_t()> boot_now = BootNowNs;
    size_t max_readers = 4;  // at the same time; each costs a cache of 1 MiB once it was needed
  };

  static Result<std::unique_ptr<EventStore>> Open(Options options);
  virtual ~EventStore() = default;

  virtual const std::string& epoch() const = 0;
  virtual std::string moved_aside() const = 0;
  // A gap tells of it now: the next life does not.
  virtual Status NoteMovedAsideTold() = 0;
  // Found damaged while in use: stop, and open it again.
  virtual bool damaged() const = 0;

  // Stores the events in one transaction together with `journal_cursor` (when given), the id of the
  // last journal entry they were derived from. Returns how many rows changed. kInvalid (nothing is
  // stored then) when CheckStorable refuses one.
  virtual Result<size_t> Put(std::span<const v1::Event> events,
                             std::optional<int64_t> journal_cursor) = 0;
  virtual Result<int64_t> JournalCursor() = 0;

  // By id, unique prefix of one (at least 4 characters), or "latest". kNotFound, kAmbiguous,
  // kInvalid.
  virtual Result<StoredEvent> Get(std::string_view reference) = 0;
  // Newest first.
  virtual Result<std::vector<StoredEvent>> List(const ListQuery& query) = 0;
  // Oldest first, seq > after; FULL view. At most 4 MiB of events at a time (but one at least):
  // only an empty answer means that there is no more.
  virtual Result<std::vector<StoredEvent>> ReadAfter(uint64_t after, size_t limit) = 0;
  // Merges annotations (an empty value removes) into a new revision; returns it.
  virtual Result<StoredEvent> Annotate(
      std::string_view reference, const std::vector<std::pair<std::string, std::string>>& set) = 0;
  // Kills of the workload of `like` on its node: how many, and the wall time of the first. A cgroup
  // path says nothing across nodes.
  struct WorkloadHistory {
    uint64_t kills = 0;
    int64_t first_time_ns = 0;
  };
  virtual Result<WorkloadHistory> History(const EventAttributes& like) = 0;

  // Everything up to `seq` is committed by the collector with identity `collector_epoch`. When that
  // identity replaces another one, nothing counts as acknowledged any more, this `seq` included:
  // the sender skipped what the old collector had, so all that is kept is sent again. kInvalid when
  // `seq` was never given out. `refused`: ids of events up to `seq` that this collector refused for
  // good; a later revision of one is a new chance.
  virtual Status Acknowledge(const std::string& collector_epoch, uint64_t seq,
                             std::span<const std::string> refused) = 0;
  // The collector that greets: what another version refused (1000 at most) gets a new `seq`.
  virtual Status NoteCollectorVersion(const std::string& version) = 0;
  virtual Result<std::pair<std::string, uint64_t>> Acknowledged() = 0;

  // The last report of each node, keyed by (cluster, node name); survives restarts, though the last
  // seconds before a power cut may be lost.
  struct StoredReport {
    v1::NodeReport report;
    int64_t received_wall_ns = 0;
  };
  virtual Status PutReports(std::span<const StoredReport> reports) = 0;
  // One whose bytes do not parse has nothing but the names of its cluster and node.
  virtual Result<std::vector<StoredReport>> Reports() = 0;
  // Removes the reports received before `wall_ns`; events stay.
  virtual Status ForgetReports(int64_t wall_ns) = 0;

  // Removes what was stored too long ago (by this store's clock, not the event's) or is too much.
  // Called by the owner now and then.
  virtual Status Retain(int64_t now_wall_ns) = 0;
  virtual Result<StoreStats> Stats() = 0;
  // Cheap, unlike Stats, which counts rows.
  virtual Result<SeqBounds> Bounds() = 0;

  // `callback` runs after each commit that added rows, on the committing thread; it must be quick
  // and must not call the store. Returns a handle; destroying it unsubscribes (and waits for a
  // running call).
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };
  virtual std::unique_ptr<Subscription> Subscribe(std::function<void()> callback) = 0;
};

}  // namespace oombox
