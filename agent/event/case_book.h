#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/event/assemble.h"
#include "agent/event/container.h"
#include "agent/event/no_kill_budget.h"
#include "agent/model/container_source.h"
#include "agent/model/pressure.h"
#include "agent/model/ring_record.h"
#include "agent/model/stack_symbols.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// What this machine can say beside the records, of the boot `boot_id`; each may be missing.
struct CaseSources {
  std::string boot_id = {};
  StackSymbols* symbols = nullptr;  // must outlive the book
  // Asks for the names of a stack's addresses; once `symbols` knows them, NameOpen uses them.
  // Quick.
  std::function<void(const std::vector<uint64_t>& addresses)> ask_symbols = {};
  // Asks what a process that lives was started as; AddUserCmdline gets the answer. Quick.
  std::function<void(const std::string& event_id, uint32_t tgid, uint64_t start_boottime_ns)>
      ask_cmdline = {};
  IdentifyCgroupFn identify = {};
  ContainerSource* containers = nullptr;   // must outlive the book
  const HistorySource* history = nullptr;  // must outlive the book
};

// The open cases: events that may still grow. A kill is an event at once (revision 1); a further
// victim of its episode, a process that died with it, its command line is a new revision. A case is
// final when everything is there that can be expected, or when its time is over; it stays open
// until then for what comes late. One thread; no I/O but the lookup and the symbols; time is given.
class CaseBook {
 public:
  // How long a case waits after the last that was heard of it.
  static constexpr uint64_t kWaitNs = 2'000'000'000;
  // And for what becomes of its container, which only the runtime tells.
  static constexpr uint64_t kFateWaitNs = 58'000'000'000;
  // And for the names of a stack, at most: all of the kernel's symbols are read for them, on a node
  // that may have no CPU to spare.
  static constexpr uint64_t kNamesWaitNs = kFateWaitNs;
  // More than these do not wait: what comes late finds them in the store.
  static constexpr size_t kMaxOpen = 256;
  static constexpr size_t kMaxEarly = 64;

  // Finds an event of an earlier run of the agent (its case was open when it stopped); may find
  // nothing. An error is neither: a victim of a stored event must not begin a new one.
  using Lookup = std::function<Result<std::optional<v1::Event>>(const std::string& event_id)>;
  explicit CaseBook(Lookup lookup, CaseSources sources = {})
      : lookup_(std::move(lookup)), sources_(std::move(sources)) {}

  // The event as it now is, to be stored; nothing when the record brings nothing new (seen twice),
  // or belongs to no event. The error of the lookup changes nothing: it can be added again.
  Result<std::optional<v1::Event>> Add(const KillRecord& record, const EventContext& context,
                                       uint64_t now_boottime_ns);
  Result<std::optional<v1::Event>> Add(const SignalRecord& record, const EventContext& context,
                                       uint64_t now_boottime_ns);
  Result<std::optional<v1::Event>> Add(const CmdlineRecord& record, const EventContext& context,
                                       uint64_t now_boottime_ns);

  // What a memory user that lives was started as; nothing when the case is closed.
  std::optional<v1::Event> AddUserCmdline(const std::string& event_id, uint32_t tgid,
                                          uint64_t start_boottime_ns, const std::string& cmdline,
                                          uint64_t now_boottime_ns);

  // The open cases whose stacks have names now.
  std::vector<v1::Event> NameOpen();

  // What the runtime says of the event's container.
  Result<std::optional<v1::Event>> AddContainer(const ContainerSource::Answer& answer,
                                                uint64_t now_boottime_ns);

  // What is known of the container at once; for an event that has no case. The runtime is not
  // asked: its answer would make a revision that a superseding one does not know.
  void NameIfKnown(v1::Event& event) const;

  // Takes over an event that an earlier run left open.
  void Reopen(v1::Event event, uint64_t now_boottime_ns);

  // Closes the cases whose time is over, and the oldest of too many; returns those that were not
  // final yet.
  std::vector<v1::Event> Close(uint64_t now_boottime_ns);

  // Records that are no kill and were too many. Thread-safe.
  uint64_t no_kills_skipped() const { return no_kills_.skipped(); }

  // A group kill is open that the kernel may add victims to any moment: not only the runtime.
  bool HasOpenGroup() const;

  // When Close has something to do next; absent when no case is open.
  std::optional<uint64_t> NextDeadline() const;

 private:
  struct Case {
    v1::Event event;
    uint64_t deadline_ns = 0;
    bool quiet = false;           // the kernel has said nothing more for kWaitNs
    bool settled = false;         // and nothing of what it said is waited for
    uint64_t names_until_ns = 0;  // the stack's names were asked for; 0: not
    uint64_t fate_until_ns = 0;   // the runtime was asked; 0: not, or it has given its last answer
  };

  // Null: there is no such event that can grow.
  Result<Case*> Find(const std::string& id);
  v1::Event Begin(const std::string& id, const KillRecord& record, const EventContext& context,
                  uint64_t now_boottime_ns);
  v1::Event BeginNoKill(const SignalRecord& record, const EventContext& context,
                        uint64_t now_boottime_ns);
  // Makes the cases that are too many due, those first that only wait for the runtime.
  void HurryTooMany();
  // A new revision, if something `changed`. Revise: of what the kernel tells, the case waits for
  // more.
  std::optional<v1::Event> Revise(Case& open, bool changed, uint64_t now_boottime_ns);
  std::optional<v1::Event> NextRevision(Case& open, bool changed) const;

  bool IsOfThisBoot(const v1::Event& event) const {
    return event.node().boot_id() == sources_.boot_id;
  }
  bool CanName(const v1::Event& event) const {
    return sources_.symbols != nullptr && IsOfThisBoot(event);
  }
  void AskForNames(Case& open, uint64_t now_boottime_ns) const;
  // The names were asked for, and may still come.
  bool AwaitsNames(const Case& open, uint64_t now_boottime_ns) const;
  void AskWhoLives(const v1::Event& event) const;
  // Names that are known at once; asks for the rest.
  void AskForContainer(Case& open, uint64_t now_boottime_ns) const;
  bool Settle(Case& open) const;
  bool TakeEarly(const std::string& id, v1::Event& event);
  // Nothing more is expected.
  bool IsComplete(const v1::Event& event) const;

  Lookup lookup_;
  CaseSources sources_;
  // Command lines that came before their kill: a victim may die while its record is being made.
  std::map<std::string, std::vector<CmdlineRecord>> early_;
  std::map<std::string, Case> open_;
  NoKillBudget no_kills_;
};

}  // namespace oombox
