#include "tests/fakes/fake_event_store.h"

#include <algorithm>
#include <utility>

namespace oombox {

class FakeEventStore::Handle final : public Subscription {
 public:
  Handle(FakeEventStore& store, uint64_t key) : store_(store), key_(key) {}
  ~Handle() override {
    std::lock_guard lock(store_.callbacks_mutex_);
    store_.callbacks_.erase(key_);
  }

 private:
  FakeEventStore& store_;
  const uint64_t key_;
};

void FakeEventStore::HoldPuts() {
  std::lock_guard lock(mutex_);
  hold_puts_ = true;
}

void FakeEventStore::LetPutsPass() {
  std::lock_guard lock(mutex_);
  hold_puts_ = false;
  changed_.notify_all();
}

void FakeEventStore::AwaitHeldPut() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return held_puts_ > 0; });
}

void FakeEventStore::FailWith(std::optional<Error> error) {
  std::lock_guard lock(mutex_);
  failure_ = std::move(error);
}

void FakeEventStore::Refuse(const std::string& event_id) {
  std::lock_guard lock(mutex_);
  refused_.push_back(event_id);
}

void FakeEventStore::Insert(const v1::Event& event) {
  {
    std::lock_guard lock(mutex_);
    InsertLocked(event);
  }
  Notify();
}

std::map<std::string, uint32_t> FakeEventStore::Revisions() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, uint32_t> revisions;
  for (const auto& [seq, event] : events_) {
    revisions[event.event_id()] = event.revision();
  }
  return revisions;
}

size_t FakeEventStore::puts() const {
  std::lock_guard lock(mutex_);
  return puts_;
}

size_t FakeEventStore::max_batch() const {
  std::lock_guard lock(mutex_);
  return max_batch_;
}

Status FakeEventStore::Failure() const {
  return failure_ ? Status(tl::unexpected<Error>(*failure_)) : Status();
}

bool FakeEventStore::InsertLocked(const v1::Event& event) {
  const auto known = seq_by_id_.find(event.event_id());
  if (known != seq_by_id_.end()) {
    if (events_.at(known->second).revision() >= event.revision()) {
      return false;
    }
    events_.erase(known->second);
  }
  events_[++last_seq_] = event;
  seq_by_id_[event.event_id()] = last_seq_;
  return true;
}

void FakeEventStore::Notify() {
  std::lock_guard lock(callbacks_mutex_);
  for (const auto& [key, callback] : callbacks_) {
    callback();
  }
}

Result<size_t> FakeEventStore::Put(std::span<const v1::Event> events,
                                   std::optional<int64_t> /*journal_cursor*/) {
  size_t changed = 0;
  {
    std::unique_lock lock(mutex_);
    ++puts_;
    max_batch_ = std::max(max_batch_, events.size());
    ++held_puts_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hold_puts_; });
    --held_puts_;
    OOMBOX_RETURN_IF_ERROR(Failure());
    for (const v1::Event& event : events) {
      OOMBOX_RETURN_IF_ERROR(CheckStorable(event));
      if (std::find(refused_.begin(), refused_.end(), event.event_id()) != refused_.end()) {
        return MakeError(ErrorCode::kInvalid, "event {} is refused", event.event_id());
      }
    }
    for (const v1::Event& event : events) {
      changed += InsertLocked(event) ? 1 : 0;
    }
  }
  if (changed > 0) {
    Notify();
  }
  return changed;
}

Result<StoredEvent> FakeEventStore::Get(std::string_view /*reference*/) {
  return MakeError(ErrorCode::kInternal, "not faked");
}

Result<std::vector<StoredEvent>> FakeEventStore::List(const ListQuery& /*query*/) {
  return MakeError(ErrorCode::kInternal, "not faked");
}

Result<StoredEvent> FakeEventStore::Annotate(
    std::string_view /*reference*/,
    const std::vector<std::pair<std::string, std::string>>& /*set*/) {
  return MakeError(ErrorCode::kInternal, "not faked");
}

Result<EventStore::WorkloadHistory> FakeEventStore::History(const EventAttributes& /*like*/) {
  return MakeError(ErrorCode::kInternal, "not faked");
}

Result<std::vector<StoredEvent>> FakeEventStore::ReadAfter(uint64_t after, size_t limit) {
  std::lock_guard lock(mutex_);
  OOMBOX_RETURN_IF_ERROR(Failure());
  std::vector<StoredEvent> events;
  for (auto it = events_.upper_bound(after); it != events_.end() && events.size() < limit; ++it) {
    events.push_back({it->first, it->second});
  }
  return events;
}

Status FakeEventStore::Acknowledge(const std::string& collector_epoch, uint64_t seq,
                                   std::span<const std::string> refused) {
  std::lock_guard lock(mutex_);
  OOMBOX_RETURN_IF_ERROR(Failure());
  if (seq > last_seq_) {
    return MakeError(ErrorCode::kInvalid, "seq {} was never given out", seq);
  }
  const bool same = collector_epoch_.empty() || collector_epoch_ == collector_epoch;
  acknowledged_ = same ? std::max(acknowledged_, seq) : 0;
  if (collector_epoch_ != collector_epoch) {
    refused_by_collector_.clear();
  }
  collector_epoch_ = collector_epoch;
  for (const std::string& id : same ? refused : std::span<const std::string>()) {
    const auto found = seq_by_id_.find(id);
    if (found != seq_by_id_.end() && found->second <= seq) {
      refused_by_collector_.insert(found->second);
    }
  }
  return {};
}

void FakeEventStore::Hide(uint64_t seq) {
  std::lock_guard lock(mutex_);
  events_.erase(seq);
}

Status FakeEventStore::NoteCollectorVersion(const std::string& version) {
  std::lock_guard lock(mutex_);
  OOMBOX_RETURN_IF_ERROR(Failure());
  if (std::exchange(collector_version_, version) == version) {
    return {};
  }
  for (const uint64_t seq : std::exchange(refused_by_collector_, {})) {
    auto offered = events_.extract(seq);
    if (!offered.empty()) {
      offered.key() = ++last_seq_;
      seq_by_id_[offered.mapped().event_id()] = last_seq_;
      events_.insert(std::move(offered));
    }
  }
  return {};
}

Result<std::pair<std::string, uint64_t>> FakeEventStore::Acknowledged() {
  std::lock_guard lock(mutex_);
  return std::pair(collector_epoch_, acknowledged_);
}

Status FakeEventStore::PutReports(std::span<const StoredReport> reports) {
  std::lock_guard lock(mutex_);
  OOMBOX_RETURN_IF_ERROR(Failure());
  for (const StoredReport& stored : reports) {
    const v1::NodeIdentity& node = stored.report.node();
    reports_[{node.cluster_name(), node.node_name()}] = stored;
  }
  return {};
}

Result<std::vector<EventStore::StoredReport>> FakeEventStore::Reports() {
  std::lock_guard lock(mutex_);
  OOMBOX_RETURN_IF_ERROR(Failure());
  std::vector<StoredReport> reports;
  for (const auto& [key, report] : reports_) {
    reports.push_back(report);
  }
  return reports;
}

Status FakeEventStore::ForgetReports(int64_t wall_ns) {
  std::lock_guard lock(mutex_);
  std::erase_if(reports_,
                [&](const auto& entry) { return entry.second.received_wall_ns < wall_ns; });
  return {};
}

Result<SeqBounds> FakeEventStore::Bounds() {
  std::lock_guard lock(mutex_);
  return SeqBounds{.evicted = 0, .last = last_seq_};
}

Result<StoreStats> FakeEventStore::Stats() {
  std::lock_guard lock(mutex_);
  StoreStats stats;
  stats.events = events_.size();
  stats.last_seq = last_seq_;
  stats.acknowledged_seq = acknowledged_;
  for (const uint64_t seq : refused_by_collector_) {  // a revision replaces a row
    stats.refused += events_.count(seq);
  }
  return stats;
}

std::unique_ptr<EventStore::Subscription> FakeEventStore::Subscribe(
    std::function<void()> callback) {
  std::lock_guard lock(callbacks_mutex_);
  const uint64_t key = next_callback_++;
  callbacks_[key] = std::move(callback);
  return std::make_unique<Handle>(*this, key);
}

}  // namespace oombox
