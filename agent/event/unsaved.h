#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/common/result.h"
#include "agent/store/event_store.h"

namespace oombox {

// Events on their way into the store, and the journal's cursor behind what they were made of:
// stored together. What the store refuses is kept and tried again: the cases have moved on and
// would not say it twice. One thread.
class Unsaved {
 public:
  // Replaces an earlier revision that waits here: only the last can ever be read, and a group kill
  // has thousands. A later one stays.
  void Add(v1::Event event);
  void Add(std::vector<v1::Event> events) {
    for (v1::Event& event : events) {
      Add(std::move(event));
    }
  }
  // As it waits here; null: nothing of it does.
  const v1::Event* Find(std::string_view event_id) const;
  void MoveCursor(int64_t cursor) { cursor_ = cursor; }

  struct Saved {
    std::vector<v1::Event> events;
    // Ids of those whose first revision came here, whatever revision they have by now.
    std::set<std::string> begun;
    std::optional<int64_t> cursor;
    // Kills among them whose event no store takes: each is a gap event instead.
    uint64_t refused = 0;
  };
  // Nothing when there was nothing. After an error everything waits still.
  Result<Saved> Save(EventStore& store);

 private:
  void ReplaceRefused(EventStore& store);

  Saved waiting_;
  std::optional<int64_t> cursor_;
};

}  // namespace oombox
