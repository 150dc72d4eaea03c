#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "agent/event/pressure.h"
#include "agent/event/unsaved.h"
#include "agent/store/event_store.h"

namespace oombox {

// Changes of state on their way to be events: of too many the oldest go, counted. Thread-safe.
class ReportedPressures {
 public:
  static constexpr size_t kMax = 1024;

  void Add(PressureChange change, EventContext context);
  // In the order they came.
  std::vector<v1::Event> Take(const IdentifyCgroupFn& identify);
  uint64_t lost() const { return lost_.load(); }

 private:
  struct Reported {
    PressureChange change;
    EventContext context;
  };
  std::mutex mutex_;
  std::deque<Reported> reported_;
  std::atomic<uint64_t> lost_{0};
};

// The alarm before a kill in its next revision, told which kill it was; nothing when there was
// none, or it knows. It is stored, or waits in `unsaved`. A store that cannot be asked has none:
// the kill names it all the same.
std::optional<v1::Event> LinkedAlarm(EventStore& store, const Unsaved& unsaved,
                                     const v1::Event& kill);

}  // namespace oombox
