#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/common/result.h"
#include "tools/memhog/board.h"
#include "tools/memhog/cgroup.h"
#include "tools/memhog/channel.h"
#include "tools/memhog/delegation.h"
#include "tools/memhog/hierarchy.h"
#include "tools/memhog/truth.h"
#include "tools/memhog/worker.h"

namespace oombox {

// The cgroups and workers of one scenario and what became of them. The destructor kills and removes
// all of it. This process stays outside the limited cgroups. One thread only.
class Stage {
 public:
  // `waiter` must outlive the stage; `slots` bounds the number of workers.
  static Result<std::unique_ptr<Stage>> Make(const Waiter& waiter, const std::string& parent,
                                             const std::string& name, size_t slots);

  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Status AddCgroup(const std::string& name, uint64_t limit_bytes);
  // One without a limit below the newest.
  Status AddCgroupBelow(const std::string& name);
  // memory.oom.group of the newest; kUnavailable on v1.
  Status KillAsGroup();

  // Starts a worker in the newest cgroup and waits until it stands ready there. The result is its
  // index for the calls below. A kFork spec's child gets the next index, ready after Go.
  Result<size_t> Launch(const WorkerSpec& spec, const WorkerSpec* child, bool expect_kill);

  void Go(size_t worker);
  // Blocks until a kFork worker's child stands ready.
  Status AwaitChild(size_t child);
  // Blocks until a kHold or kFork worker has done its job.
  Status AwaitDone(size_t worker);
  // A kExec worker has become its command.
  Status AwaitExec(size_t worker);
  Status AwaitDeath(size_t worker);
  Status AwaitDeathForever(size_t worker);
  // Lets a worker that is done exit, and waits for it.
  Status Quit(size_t worker);

  // What is known now.
  Truth Report(const std::string& scenario);
  Status RemoveCgroups();

 private:
  struct Actor {
    WorkerSpec spec;
    ProcessTruth truth;
    UniqueFd channel;
    UniqueFd their_channel;
    bool reaped = false;
  };
  struct Place {
    std::unique_ptr<Delegation> delegation;  // of the cgroup above, when that is ours; ends last
    std::unique_ptr<Cgroup> cgroup;
    Cgroup::Counters before;
  };

  Stage(const Waiter& waiter, Hierarchy hierarchy)
      : waiter_(waiter), hierarchy_(std::move(hierarchy)) {}
  Result<Actor*> AddActor(const WorkerSpec& spec, bool expect_kill);
  Status AwaitReady(Actor& actor);
  Status Reap(Actor& actor);

  const Waiter& waiter_;
  const Hierarchy hierarchy_;
  std::string parent_;
  std::unique_ptr<Delegation> delegation_;
  std::unique_ptr<Board> board_;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<Actor>> actors_;
  int64_t start_wall_ns_ = 0;
  uint64_t start_boottime_ns_ = 0;
};

}  // namespace oombox
