#include "agent/event/event_stage.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "agent/common/clock.h"
#include "agent/event/envelope.h"
#include "agent/event/reconstruct.h"
#include "agent/event/recover.h"
#include "agent/event/undecodable.h"
#include "agent/store/journal_id.h"

namespace oombox {

namespace {

constexpr size_t kBatch = 256;
constexpr std::chrono::seconds kRetry(1);
constexpr std::chrono::milliseconds kGather(20);

}  // namespace

EventStage::EventStage(Options options, Journal& journal, EventStore& store)
    : options_(std::move(options)),
      journal_(journal),
      store_(store),
      cases_([&store](const std::string& id) { return FindEvent(store, id); },
             {.boot_id = options_.boot_id,
              .symbols = options_.symbols.get(),
              .ask_symbols =
                  [this](const std::vector<uint64_t>& addresses) {
                    if (symbols_ != nullptr) {
                      symbols_->Ask(addresses);
                    }
                  },
              .ask_cmdline =
                  [this](const std::string& event_id, uint32_t tgid, uint64_t start_boottime_ns) {
                    if (cmdlines_ != nullptr) {
                      cmdlines_->Ask({event_id, tgid, start_boottime_ns});
                    }
                  },
              .identify = options_.identify,
              .containers = options_.containers.get(),
              .history = options_.history}),
      start_boottime_ns_(BootNowNs()) {
  RecoverCursor();  // before anybody appends to a new journal
  undecodable_ = CountUndecodable(store_, options_.boot_id);
  if (options_.read_cmdline) {
    cmdlines_ = std::make_unique<CmdlineReader>(options_.read_cmdline, [this] { Notify(); });
  }
  if (options_.symbols != nullptr) {
    symbols_ = std::make_unique<SymbolReader>(options_.symbols, [this] { Notify(); });
  }
  if (options_.containers != nullptr) {
    options_.containers->OnAnswer([this] { Notify(); });
  }
  thread_ = std::jthread([this] { Run(); });
}

EventStage::~EventStage() {
  if (options_.containers != nullptr) {
    options_.containers->OnAnswer({});
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void EventStage::Notify() {
  {
    const std::lock_guard lock(mutex_);
    notified_ = true;
  }
  changed_.notify_all();
}

void EventStage::ReportGap(Gap gap, const JournalSession& session, std::vector<LoggedKill> logged) {
  {
    const std::lock_guard lock(mutex_);
    gaps_.push_back({std::move(gap), ContextNow(session), std::move(logged)});
    ++gaps_reported_;
    notified_ = true;
  }
  changed_.notify_all();
}

void EventStage::ReportPressure(PressureChange change, const JournalSession& session) {
  pressures_.Add(std::move(change), ContextNow(session));
  Notify();
}

bool EventStage::GapsStored() const {
  const std::lock_guard lock(mutex_);
  return gaps_.empty();
}

EventStage::Counters EventStage::counters() const {
  return {.events = events_.load(),
          .undecodable = undecodable_.load(),
          .reconstructed = reconstructed_count_.load(),
          .no_kills_skipped = cases_.no_kills_skipped(),
          .pressures_lost = pressures_.lost()};
}

uint64_t EventStage::PendingUpTo(int64_t journal_id) const {
  return KillsBetween(cursor_.load(), journal_id);
}

Status EventStage::RetainJournal(int64_t now_wall_ns) {
  return journal_.Retain(cursor_.load(), now_wall_ns);
}

// Not until it is idle: in a storm it never is.
bool EventStage::Flush() {
  const auto last = journal_.LastId();
  if (!last) {
    return false;
  }
  Notify();
  std::unique_lock lock(mutex_);
  const uint64_t reported = gaps_reported_;
  const auto done = [&] {
    return cursor_.load() >= *last && gaps_reported_ - gaps_.size() >= reported;
  };
  changed_.wait(lock, [&] { return (failing_ && !notified_ && !busy_) || stopping_ || done(); });
  return done();
}

void EventStage::Run() {
  pthread_setname_np(pthread_self(), "oom-event");
  bool ok = true;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return notified_ || stopping_; };
      const auto deadline = cases_.NextDeadline();
      if (!ok) {
        changed_.wait_for(lock, kRetry, [this] { return stopping_; });
      } else if (deadline) {
        const uint64_t now = BootNowNs();
        const uint64_t left = *deadline > now ? *deadline - now : 0;
        changed_.wait_for(lock, std::chrono::nanoseconds(left), ready);
      } else {
        changed_.wait(lock, ready);
      }
      if (ok && cases_.HasOpenGroup()) {
        // A group kill goes on: its victims come one by one, and each would be a revision of an
        // event that grows.
        changed_.wait_for(lock, kGather, [this] { return stopping_; });
      }
      notified_ = false;
      busy_ = true;
    }
    ok = Step();
    const std::lock_guard lock(mutex_);
    failing_ = !ok;
    busy_ = false;
    changed_.notify_all();
    if (stopping_ && !notified_) {
      return;
    }
  }
}

void EventStage::RecoverCursor() {
  const auto cursor = store_.JournalCursor();
  const auto last = journal_.LastId();
  // A journal that ends before the cursor is a new one: the old was damaged and put aside.
  if (cursor && last && *cursor <= *last) {
    cursor_ = *cursor;
  } else if (cursor && *cursor > 0) {
    unsaved_.MoveCursor(0);
  }
}

Status EventStage::Recover() {
  if (recovered_) {
    return {};
  }
  OOMBOX_TRY(Unfinished left, FindUnfinished(store_, options_.node_name));
  for (v1::Event& event : left.reconstructed) {
    reconstructed_.Add(std::move(event));
  }
  for (v1::Event& event : left.open) {
    cases_.Reopen(std::move(event), BootNowNs());
  }
  recovered_ = true;
  return {};
}

// True when everything that is there is stored.
bool EventStage::Step() {
  while (true) {
    const auto derived = Derive();
    if (!derived) {
      if (stall_.Begin(derived.error().message, BootNowNs())) {
        spdlog::error("events cannot be stored, the journal keeps them: {}",
                      derived.error().message);
      }
      return false;
    }
    if (*derived == 0) {
      if (stall_.End()) {
        spdlog::info("events are stored again");
      }
      return true;
    }
  }
}

// One batch: journal entries, gaps, closed cases. Returns how many entries it took. What the store
// refused the last time comes first.
Result<size_t> EventStage::Derive() {
  const StageStall::Call call(stall_, BootNowNs());
  OOMBOX_RETURN_IF_ERROR(Recover());
  OOMBOX_RETURN_IF_ERROR(Save());
  AddPressures();  // before the kills they warned of; while the store refuses they wait, bounded
  OOMBOX_RETURN_IF_ERROR(Save());
  OOMBOX_TRY(const auto entries, journal_.ReadAfter(cursor_.load(), kBatch));
  for (const JournalEntry& entry : entries) {
    OOMBOX_TRY(const EventContext context, ContextOf(entry));
    OOMBOX_RETURN_IF_ERROR(AddEntry(entry, context));
    unsaved_.MoveCursor(entry.id);
  }
  AddUserCmdlines();
  NameStacks();
  OOMBOX_RETURN_IF_ERROR(AddContainers());
  unsaved_.Add(cases_.Close(BootNowNs()));
  OOMBOX_RETURN_IF_ERROR(Save());
  if (entries.size() < kBatch) {  // what was captured is stored: what is not there was missed
    OOMBOX_RETURN_IF_ERROR(AddGaps());
  }
  return entries.size();
}

void EventStage::AddUserCmdlines() {
  for (auto& [of, bytes] :
       cmdlines_ == nullptr ? std::vector<CmdlineReader::Answer>() : cmdlines_->Take()) {
    if (auto event = cases_.AddUserCmdline(of.event_id, of.tgid, of.start_boottime_ns,
                                           options_.redact(std::move(bytes)), BootNowNs())) {
      unsaved_.Add(std::move(*event));
    }
  }
}

void EventStage::NameStacks() {
  if (symbols_ == nullptr || !symbols_->TakeNews()) {
    return;
  }
  unsaved_.Add(cases_.NameOpen());
}

Status EventStage::AddContainers() {
  if (options_.containers == nullptr) {
    return {};
  }
  auto taken = options_.containers->Take();
  std::move(taken.begin(), taken.end(), std::back_inserter(container_answers_));
  while (!container_answers_.empty()) {
    OOMBOX_TRY(auto event, cases_.AddContainer(container_answers_.front(), BootNowNs()));
    container_answers_.pop_front();
    if (event) {
      unsaved_.Add(std::move(*event));
    }
  }
  return {};
}

void EventStage::AddPressures() {
  for (v1::Event& event : pressures_.Take(options_.identify)) {
    cases_.NameIfKnown(event);
    unsaved_.Add(std::move(event));
  }
}

Status EventStage::AddGaps() {
  std::vector<ReportedGap> gaps;
  {
    const std::lock_guard lock(mutex_);
    gaps = gaps_;
  }
  for (ReportedGap& reported : gaps) {
    OOMBOX_TRY(const auto missed, NotInStore(std::move(reported.logged), reported.context, store_));
    for (const LoggedKill& kill : missed) {
      v1::Event event = AssembleReconstructed(kill, reported.context);
      if (options_.identify) {
        FillContainer(options_.identify, *event.mutable_oom());
      }
      cases_.NameIfKnown(event);
      reconstructed_.Add(event);
      options_.on_kill(event, true);
      unsaved_.Add(std::move(event));
    }
    reconstructed_count_.fetch_add(missed.size());
    reported.gap.reconstructed =
        std::min<uint64_t>(missed.size(), reported.gap.count.value_or(missed.size()));
    unsaved_.Add(AssembleGap(reported.gap, reported.context));
    // Stored before the next is looked at: two gaps may have been told the same kill.
    OOMBOX_RETURN_IF_ERROR(Save());
    {
      const std::lock_guard lock(mutex_);
      gaps_.erase(gaps_.begin());
    }
    changed_.notify_all();
  }
  return {};
}

Status EventStage::Save() {
  OOMBOX_TRY(const Unsaved::Saved saved, unsaved_.Save(store_));
  undecodable_.fetch_add(saved.refused);
  NoteStored(saved);
  if (!saved.cursor) {
    return {};
  }
  cursor_ = *saved.cursor;
  return RetainJournal(WallNowNs());
}

void EventStage::NoteStored(const Unsaved::Saved& saved) {
  const uint64_t now = BootNowNs();
  for (const v1::Event& event : saved.events) {
    if (!event.has_oom()) {
      continue;
    }
    options_.on_kill(event, false);
    const uint64_t made = event.boottime_ns();
    const bool first = saved.begun.contains(event.event_id());
    if (first && made >= start_boottime_ns_ && made <= now) {
      latency_.Record(now - made);
    }
  }
}

Result<EventContext> EventStage::ContextOf(const JournalEntry& entry) {
  auto found = sessions_.find(entry.session_id);
  if (found == sessions_.end()) {
    OOMBOX_TRY(JournalSession session, journal_.Session(entry.session_id));
    found = sessions_.emplace(entry.session_id, std::move(session)).first;
  }
  EventContext context = oombox::ContextOf(found->second, options_.cluster_name, options_.node_name,
                                           options_.replayed);
  context.committed_wall_ns = entry.committed_wall_ns;
  context.committed_boottime_ns = entry.committed_boottime_ns;
  return context;
}

EventContext EventStage::ContextNow(const JournalSession& session) const {
  EventContext context =
      oombox::ContextOf(session, options_.cluster_name, options_.node_name, options_.replayed);
  context.committed_wall_ns = WallNowNs();
  context.committed_boottime_ns = BootNowNs();
  return context;
}

Status EventStage::AddEntry(const JournalEntry& entry, const EventContext& context) {
  const auto record = options_.decode(entry.bytes);
  if (!record) {
    if (!IsKillId(entry.id)) {
      spdlog::warn("journal entry {} says nothing: {}", entry.id, record.error().message);
      return {};
    }
    spdlog::error("journal entry {} is no event: {}", entry.id, record.error().message);
    ++undecodable_;
    unsaved_.Add(AssembleUndecodable(entry, record.error().message, context));
    return {};
  }
  const auto add = [&](const auto& r) { return cases_.Add(r, context, BootNowNs()); };
  OOMBOX_TRY(auto event, std::visit(add, *record));
  if (!event) {
    return {};
  }
  std::vector<v1::Event> superseded;
  if (const auto* kill = std::get_if<KillRecord>(&*record)) {
    superseded = reconstructed_.Supersede(*kill, context, event->event_id());
  }
  if (event->has_oom() && event->revision() == 1) {
    ++events_;
    if (superseded.empty()) {  // else the reconstructed one was told
      options_.on_kill(*event, true);
    }
  }
  AddPressures();  // the alarm that the kill names may have come since this batch began
  if (auto alarm = LinkedAlarm(store_, unsaved_, *event)) {
    unsaved_.Add(std::move(*alarm));
  }
  unsaved_.Add(std::move(superseded));
  unsaved_.Add(std::move(*event));
  return {};
}

}  // namespace oombox
