#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/event/assemble.h"
#include "agent/model/kill.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// The open cases: events that may still grow. A kill is an event at once (revision 1); a further
// victim of its episode is a new revision; when nothing more can come the case is closed with
// `final`. A kill without memory.oom.group has nothing to wait for and is final at once. One
// thread; no I/O; time is given.
class CaseBook {
 public:
  // How long a group kill may go on without a further victim.
  static constexpr uint64_t kGroupWaitNs = 2'000'000'000;

  // Finds an event of an earlier run of the agent (its case was open when it stopped); may find
  // nothing. An error is neither: a victim of a stored event must not begin a new one.
  using Lookup = std::function<Result<std::optional<v1::Event>>(const std::string& event_id)>;
  explicit CaseBook(Lookup lookup) : lookup_(std::move(lookup)) {}

  // The event as it now is, to be stored; nothing when the record brings nothing new (seen twice).
  // The error of the lookup changes nothing: the record can be added again.
  Result<std::optional<v1::Event>> Add(const KillRecord& record, const EventContext& context,
                                       uint64_t now_boottime_ns);

  // Takes over an event that an earlier run left open.
  void Reopen(v1::Event event, uint64_t now_boottime_ns);

  // Closes the cases whose time is over; returns them as final revisions.
  std::vector<v1::Event> Close(uint64_t now_boottime_ns);

  // When Close has something to do next; absent when no case is open.
  std::optional<uint64_t> NextDeadline() const;

 private:
  struct Case {
    v1::Event event;
    uint64_t deadline_ns = 0;
  };

  v1::Event Begin(const std::string& id, const KillRecord& record, const EventContext& context,
                  uint64_t now_boottime_ns);

  Lookup lookup_;
  std::map<std::string, Case> open_;
};

}  // namespace oombox
