#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/common/latency_histogram.h"
#include "agent/common/result.h"
#include "agent/common/stage_stall.h"
#include "agent/event/case_book.h"
#include "agent/event/cmdline_reader.h"
#include "agent/event/container.h"
#include "agent/event/gap.h"
#include "agent/event/reported_pressures.h"
#include "agent/event/superseded.h"
#include "agent/event/symbol_reader.h"
#include "agent/event/unsaved.h"
#include "agent/model/container_source.h"
#include "agent/model/logged_kill.h"
#include "agent/model/pressure.h"
#include "agent/model/ring_record.h"
#include "agent/model/stack_symbols.h"
#include "agent/store/event_store.h"
#include "agent/store/journal.h"

namespace oombox {

// From the journal to the store: reads raw records after the store's journal cursor, makes events
// of them, and stores events and cursor in one transaction. Whatever kills the agent, it goes on
// where the store says, and a record that is read twice makes the same event. A record that cannot
// be decoded becomes a gap event; its bytes stay in the journal. Owns one thread, from construction
// to destruction. Notify and ReportGap are thread-safe.
class EventStage {
 public:
  struct Options {
    std::string cluster_name;
    std::string node_name;
    std::string boot_id;  // of this boot: what it could not decode before is counted on
    bool replayed = false;
    // Turns the raw bytes into a record (agent/capture/decode.h): given, since stages do not know
    // each other.
    std::function<Result<RingRecord>(std::string_view)> decode;
    // Of the running kernel; null: kernel stacks stay without names.
    std::shared_ptr<StackSymbols> symbols = {};
    // Reads what a process that lives was started as (see CmdlineReader), and takes the secrets out
    // of it and makes one line of it; both or none.
    CmdlineReader::Read read_cmdline = {};
    std::function<std::string(std::string bytes)> redact = {};
    IdentifyCgroupFn identify = {};                    // null: nobody's container
    std::shared_ptr<ContainerSource> containers = {};  // null: the runtime is not asked
    std::function<void(const v1::Event&, bool is_new)> on_kill = [](auto&, bool) {};  // or stored
    const HistorySource* history = nullptr;  // null: memory is not watched; must outlive the stage
  };
  struct Counters {
    uint64_t events = 0;  // kills that became events
    uint64_t undecodable = 0;
    uint64_t reconstructed = 0;     // kills that became events from the kernel log
    uint64_t no_kills_skipped = 0;  // see CaseBook
    uint64_t pressures_lost = 0;    // changes of state that the store did not take in time
  };

  // Journal and store must outlive the stage.
  EventStage(Options options, Journal& journal, EventStore& store);
  ~EventStage();  // turns what is in the journal into events first

  void Notify();  // the journal has new records
  // True when every gap that was reported is in the store.
  bool GapsStored() const;
  // Stores a gap event of this boot, and before it an event for each kill of `logged` that is not
  // in the store by then: `logged` is what the kernel log holds of the gap's window. Should the
  // real event of such a kill turn up, it supersedes the reconstructed one.
  void ReportGap(Gap gap, const JournalSession& session, std::vector<LoggedKill> logged = {});
  // Stores the event of a change of state; of too many that the store does not take, the oldest go.
  void ReportPressure(PressureChange change, const JournalSession& session);
  Counters counters() const;                       // asks no disk
  uint64_t PendingUpTo(int64_t journal_id) const;  // kills of it that are no events yet
  // Removes what the journal need not keep: stored as events, and old or too much. Now and then.
  Status RetainJournal(int64_t now_wall_ns);
  // From the kernel's mark until the event was stored, of kills since this started.
  const LatencyHistogram& latency() const { return latency_; }
  // Stalled: the journal or the store refuses or hangs.
  const StageStall& stall() const { return stall_; }
  // Waits until everything that was in the journal at the call is an event, and every gap that was
  // reported is stored; false when the store refuses.
  bool Flush();

 private:
  struct ReportedGap {
    Gap gap;
    EventContext context;
    std::vector<LoggedKill> logged;
  };

  void Run();
  void RecoverCursor();
  Status Recover();
  bool Step();
  Result<size_t> Derive();
  Status AddGaps();
  void AddPressures();
  void AddUserCmdlines();
  void NameStacks();
  Status AddContainers();
  Result<EventContext> ContextOf(const JournalEntry& entry);
  EventContext ContextNow(const JournalSession& session) const;
  Status AddEntry(const JournalEntry& entry, const EventContext& context);
  Status Save();
  void NoteStored(const Unsaved::Saved& saved);

  const Options options_;
  Journal& journal_;
  EventStore& store_;
  // Stage thread only, down to unsaved_.
  CaseBook cases_;
  std::map<int64_t, JournalSession> sessions_;
  bool recovered_ = false;
  ReconstructedEvents reconstructed_;
  std::deque<ContainerSource::Answer> container_answers_;  // that the store did not let in yet
  Unsaved unsaved_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = true;
  bool stopping_ = false;
  bool busy_ = false;
  bool failing_ = false;
  std::vector<ReportedGap> gaps_;
  uint64_t gaps_reported_ = 0;  // ever
  const uint64_t start_boottime_ns_;
  ReportedPressures pressures_;
  LatencyHistogram latency_;
  StageStall stall_;
  std::atomic<uint64_t> events_{0};
  std::atomic<uint64_t> undecodable_{0};
  std::atomic<uint64_t> reconstructed_count_{0};
  std::atomic<int64_t> cursor_{0};
  std::unique_ptr<CmdlineReader> cmdlines_;  // null: nobody is asked
  std::unique_ptr<SymbolReader> symbols_;    // null: stacks stay without names
  std::jthread thread_;
};

}  // namespace oombox
