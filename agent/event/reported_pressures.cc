#include "agent/event/reported_pressures.h"

#include <utility>

#include "agent/event/recover.h"

namespace oombox {

void ReportedPressures::Add(PressureChange change, EventContext context) {
  const std::lock_guard lock(mutex_);
  if (reported_.size() >= kMax) {
    reported_.pop_front();
    lost_.fetch_add(1);
  }
  reported_.push_back({std::move(change), std::move(context)});
}

std::vector<v1::Event> ReportedPressures::Take(const IdentifyCgroupFn& identify) {
  std::deque<Reported> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(reported_);
  }
  std::vector<v1::Event> events;
  events.reserve(taken.size());
  for (const Reported& reported : taken) {
    events.push_back(AssemblePressure(reported.change, reported.context, identify));
  }
  return events;
}

std::optional<v1::Event> LinkedAlarm(EventStore& store, const Unsaved& unsaved,
                                     const v1::Event& kill) {
  const std::string& id = kill.oom().pressure_event_id();
  if (id.empty() || kill.revision() != 1) {
    return std::nullopt;
  }
  std::optional<v1::Event> alarm = FindEvent(store, id).value_or(std::nullopt);
  const v1::Event* waiting = unsaved.Find(id);
  // One that is told again (it lasts since an earlier run) has less in it than what is stored.
  if (waiting != nullptr && (!alarm || alarm->revision() < waiting->revision())) {
    alarm = *waiting;
  }
  if (!alarm || !alarm->has_pressure() || !alarm->pressure().kill_event_id().empty()) {
    return std::nullopt;
  }
  alarm->mutable_pressure()->set_kill_event_id(kill.event_id());
  alarm->set_revision(alarm->revision() + 1);
  return alarm;
}

}  // namespace oombox
