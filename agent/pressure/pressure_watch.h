#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/common/cgroup_tree.h"
#include "agent/model/pressure.h"
#include "agent/pressure/alarms.h"
#include "agent/pressure/brake.h"
#include "agent/pressure/curve_file.h"
#include "agent/pressure/fresh_cgroups.h"
#include "agent/pressure/memory_reader.h"
#include "agent/pressure/reclaim_brake.h"
#include "agent/pressure/watched.h"

namespace oombox {

// Watches the memory of the node and of those of its cgroups that are containers or have a limit:
// reads their files on a thread of its own, the more often the nearer one is to its limit, keeps
// what was read (CurveFile), and tells of changes of state. Above what it may cost it reads less
// often, what is near its limit last (Brake). All is thread-safe.
class PressureWatch final : public HistorySource {
 public:
  static constexpr size_t kMaxCgroups = 20'000;  // more are not looked at

  struct Options {
    MemoryHierarchy hierarchy = {};
    std::string proc = "/proc";
    CurveFile::Options curves = {};
    std::shared_ptr<ReclaimSource> reclaim = {};  // null: not measured
    // Containers are watched even without a limit.
    std::function<bool(const std::string& path)> is_container = {};
    // Everything that is there is looked at so often, whether or not there are notices.
    uint64_t scan_ns = 10'000'000'000;
    // Reclaim of a cgroup that is not watched is forgotten so long after its last.
    uint64_t forget_reclaim_ns = 300'000'000'000;
    // Of a core, in 1/1000.
    unsigned budget_permille = 10;
    // Above that the programs at the reclaim tracepoints are switched off.
    unsigned reclaim_budget_permille = 20;
  };
  struct Status {
    size_t total = 0;  // memory cgroups there are
    size_t watched = 0;
    bool cut = false;
    size_t curves = 0;
    size_t curves_refused = 0;
    bool curves_persist = false;
    std::string why_not = {};  // they do not
    size_t damaged_files = 0;
    size_t warning = 0;
    size_t critical = 0;
    uint64_t damped = 0;
    uint64_t readings = 0;
    uint64_t reading_ns = 0;  // of CPU time
    unsigned stretch = 1;     // how much less often what is far is read
    bool has_psi = false;     // of cgroups
    bool node_has_psi = false;
  };

  using Changed = std::function<void(PressureChange change)>;

  // What an earlier run kept is known at once; reading begins with Start.
  explicit PressureWatch(Options options);
  ~PressureWatch() override { Stop(); }

  // Once. `changed` is called on the watch's thread; quick. Alarms that last since an earlier run
  // are told again, before it returns: with the same time, hence as the same event.
  void Start(Changed changed);
  // Ends the readings, and the calls. What is known stays.
  void Stop();

  // A cgroup was made, or removed; paths of other hierarchies do no harm.
  void Appeared(const std::string& path);
  void Removed(const std::string& path);

  // The node first, then each cgroup.
  std::vector<CgroupPressure> Now();
  Status status() const;

  std::optional<MemoryHistory> Before(uint64_t cgroup_id, uint64_t boottime_ns) const override;
  std::optional<uint64_t> AlarmedSince(uint64_t cgroup_id, uint64_t boottime_ns) const override;

 private:
  void Run(const std::stop_token& stop);
  uint64_t NextDue() const;
  void Step(uint64_t now);
  void Scan(uint64_t now);
  void ForgetResumed(uint64_t now);
  std::optional<PressureChange> ToldAgain(const CurveFile::Resumed& resumed) const;
  void TellAgain();
  void TakeNotices(uint64_t now);
  void TakeReclaim(uint64_t now);
  void ReadDue(uint64_t now);
  enum class Found { kIt, kNothing, kAnother };  // of the same name
  Found ReadOne(Watched& watched, bool of_nearest);
  bool IsWatched(const std::string& path, uint64_t cgroup_id) const;
  bool IsWanted(const std::string& path, int dir) const;
  void Watch(const std::string& path, uint64_t cgroup_id, uint64_t now);
  void Drop(const std::string& path, uint64_t now);
  void Keep(Watched& watched, const MemorySample& sample);
  void Tell(Watched& watched, const PressureStateMachine::Change& change, uint64_t now);
  void UpdateTrend(Watched& watched, uint64_t now, bool at_once);
  void LookAtCost(uint64_t now);
  void BrakeReclaim(uint64_t now, uint64_t of_ns);

  const Options options_;
  Changed tell_;
  const MemoryReader reader_;
  std::unique_ptr<CurveFile> curves_;
  std::map<uint64_t, CurveFile::Resumed> resumed_;
  std::vector<PressureChange> told_again_;  // by Start
  // Of the watch's thread alone.
  uint64_t scan_at_ns_ = 0;
  uint64_t reclaim_at_ns_ = 0;
  uint64_t reclaim_changes_ = 0;
  std::map<uint64_t, uint64_t> reclaim_stalls_;  // by cgroup id, of the look before
  Brake brake_;
  ReclaimBrake reclaim_brake_;

  // Guards what follows. Only the watch's thread adds and removes watched cgroups, so it may read
  // them without.
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Watched> watched_;  // by path; the node's is "/"
  FreshCgroups fresh_;
  std::vector<std::string> removed_;
  Alarms alarms_;
  std::set<std::string> refused_;  // no room for its curve
  Status status_;
  bool poked_ = false;
  std::jthread thread_;
};

}  // namespace oombox
