#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/store/event_store.h"

namespace oombox {

// The event store in memory, with a disk that can stall and fail. Lists, references and annotations
// are not faked. Thread-safe.
class FakeEventStore : public EventStore {
 public:
  explicit FakeEventStore(std::string epoch) : epoch_(std::move(epoch)) {}

  // Put blocks from now on, until LetPutsPass.
  void HoldPuts();
  void LetPutsPass();
  // Waits until a Put is blocked.
  void AwaitHeldPut();
  // Put, PutReports, Reports, ReadAfter and Acknowledge fail with this; none: they work again.
  void FailWith(std::optional<Error> error);
  // Put refuses any batch with this event (kInvalid), as a store does that cannot take it.
  void Refuse(const std::string& event_id);
  // Takes the row away as if its bytes did not parse: nobody reads it.
  void Hide(uint64_t seq);
  // Adds an event without any check.
  void Insert(const v1::Event& event);

  std::map<std::string, uint32_t> Revisions() const;  // by event id
  size_t puts() const;
  size_t max_batch() const;

  const std::string& epoch() const override { return epoch_; }
  std::string moved_aside() const override { return ""; }
  Status NoteMovedAsideTold() override { return {}; }
  bool damaged() const override { return false; }
  Result<size_t> Put(std::span<const v1::Event> events,
                     std::optional<int64_t> journal_cursor) override;
  Result<int64_t> JournalCursor() override { return 0; }
  Result<StoredEvent> Get(std::string_view reference) override;
  Result<std::vector<StoredEvent>> List(const ListQuery& query) override;
  Result<std::vector<StoredEvent>> ReadAfter(uint64_t after, size_t limit) override;
  Result<StoredEvent> Annotate(
      std::string_view reference,
      const std::vector<std::pair<std::string, std::string>>& set) override;
  Result<WorkloadHistory> History(const EventAttributes& like) override;
  Status Acknowledge(const std::string& collector_epoch, uint64_t seq,
                     std::span<const std::string> refused) override;
  Status NoteCollectorVersion(const std::string& version) override;
  Result<std::pair<std::string, uint64_t>> Acknowledged() override;
  Status PutReports(std::span<const StoredReport> reports) override;
  Result<std::vector<StoredReport>> Reports() override;
  Status ForgetReports(int64_t wall_ns) override;
  Status Retain(int64_t /*now_wall_ns*/) override { return {}; }
  Result<StoreStats> Stats() override;
  Result<SeqBounds> Bounds() override;
  std::unique_ptr<Subscription> Subscribe(std::function<void()> callback) override;

 private:
  class Handle;

  Status Failure() const;  // lock held
  bool InsertLocked(const v1::Event& event);
  void Notify();

  const std::string epoch_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool hold_puts_ = false;
  int held_puts_ = 0;
  size_t puts_ = 0;
  size_t max_batch_ = 0;
  std::optional<Error> failure_;
  std::vector<std::string> refused_;
  uint64_t last_seq_ = 0;
  std::map<uint64_t, v1::Event> events_;
  std::map<std::string, uint64_t> seq_by_id_;
  std::string collector_epoch_;
  uint64_t acknowledged_ = 0;
  std::set<uint64_t> refused_by_collector_;  // seqs
  std::string collector_version_;
  std::map<std::pair<std::string, std::string>, StoredReport> reports_;
  std::mutex callbacks_mutex_;
  uint64_t next_callback_ = 0;
  std::map<uint64_t, std::function<void()>> callbacks_;
};

}  // namespace oombox
