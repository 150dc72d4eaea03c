#include "tools/memhog/stage.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "agent/common/clock.h"

namespace oombox {
namespace {

// By number: glibc 2.36 declares pidfd_open() without C linkage.
UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::Make(const Waiter& waiter, const std::string& parent,
                                           const std::string& name, size_t slots) {
  OOMBOX_TRY(const Hierarchy hierarchy, FindOwnHierarchy());
  std::unique_ptr<Stage> stage(new Stage(waiter, hierarchy));
  stage->parent_ = parent.empty() ? hierarchy.own_path : parent;
  OOMBOX_TRY(stage->delegation_, Delegation::Prepare(hierarchy, stage->parent_, name + "-self"));
  OOMBOX_TRY(stage->board_, Board::Make(slots));
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "PR_SET_CHILD_SUBREAPER");
  }
  stage->start_wall_ns_ = WallNowNs();
  stage->start_boottime_ns_ = BootNowNs();
  return stage;
}

Stage::~Stage() {
  while (!places_.empty()) {
    places_.pop_back();  // the inner before the outer
  }
}

Status Stage::AddCgroup(const std::string& name, uint64_t limit_bytes) {
  Place place;
  OOMBOX_TRY(place.cgroup, Cgroup::Create(hierarchy_, parent_, name, limit_bytes));
  place.before = place.cgroup->ReadCounters();
  places_.push_back(std::move(place));
  return {};
}

Status Stage::AddCgroupBelow(const std::string& name) {
  const std::string outer = places_.back().cgroup->path();
  OOMBOX_TRY(auto delegation, Delegation::Prepare(hierarchy_, outer, name + "-self"));
  Place place;
  OOMBOX_TRY(place.cgroup, Cgroup::Create(hierarchy_, outer, name, std::nullopt));
  place.before = place.cgroup->ReadCounters();
  place.delegation = std::move(delegation);
  places_.push_back(std::move(place));
  return {};
}

Status Stage::KillAsGroup() { return places_.back().cgroup->KillAsGroup(); }

Result<Stage::Actor*> Stage::AddActor(const WorkerSpec& spec, bool expect_kill) {
  if (actors_.size() >= board_->size()) {
    return MakeError(ErrorCode::kExhausted, "more workers than planned");
  }
  OOMBOX_TRY(ChannelPair pair, MakeChannel());
  auto actor = std::make_unique<Actor>();
  actor->spec = spec;
  actor->spec.procs_file = places_.back().cgroup->ProcsFile();
  actor->spec.slot = &board_->slot(actors_.size());
  actor->spec.channel = pair.theirs.get();
  actor->channel = std::move(pair.ours);
  actor->their_channel = std::move(pair.theirs);
  actor->truth.role = spec.role;
  actor->truth.cgroup_id = places_.back().cgroup->id();
  actor->truth.expect_kill = expect_kill;
  actors_.push_back(std::move(actor));
  return actors_.back().get();
}

Result<size_t> Stage::Launch(const WorkerSpec& spec, const WorkerSpec* child, bool expect_kill) {
  const size_t index = actors_.size();
  OOMBOX_TRY(Actor* const actor, AddActor(spec, expect_kill && child == nullptr));
  Actor* child_actor = nullptr;
  if (child != nullptr) {
    OOMBOX_TRY(child_actor, AddActor(*child, expect_kill));
    actor->spec.child = &child_actor->spec;
  }
  const pid_t pid = Spawn(actor->spec);
  if (pid < 0) {
    return MakeSystemError(ErrorCode::kExhausted, errno,
                           spec.pid_namespace ? "clone with a new pid namespace" : "clone");
  }
  actor->their_channel.Reset(-1);
  if (child_actor != nullptr) {
    child_actor->their_channel.Reset(-1);
  }
  OOMBOX_RETURN_IF_ERROR(AwaitReady(*actor));
  return index;
}

Status Stage::AwaitReady(Actor& actor) {
  OOMBOX_TRY(const Message message, waiter_.ReceiveFrom(actor.channel.get()));
  if (message.signal != Signal::kReady) {
    return MakeError(ErrorCode::kInternal, "worker {} died before it was ready", actor.spec.role);
  }
  OOMBOX_TRY(actor.truth.facts, ReadProcessFacts(message.sender));
  return {};
}

void Stage::Go(size_t worker) { Send(actors_[worker]->channel.get(), Signal::kGo); }

Status Stage::AwaitChild(size_t child) { return AwaitReady(*actors_[child]); }

Status Stage::AwaitDone(size_t worker) {
  Actor& actor = *actors_[worker];
  OOMBOX_TRY(const Message message, waiter_.ReceiveFrom(actor.channel.get()));
  if (message.signal != Signal::kDone) {
    return MakeError(ErrorCode::kInternal, "worker {} died", actor.spec.role);
  }
  if (actor.spec.child != nullptr) {
    Actor& child = *actors_[worker + 1];
    child.truth.wait_status = actor.spec.slot->child_wait_status;
    child.reaped = true;
  }
  return {};
}

Status Stage::AwaitExec(size_t worker) {
  Actor& actor = *actors_[worker];
  OOMBOX_RETURN_IF_ERROR(waiter_.ReceiveFrom(actor.channel.get()));
  auto facts = ReadProcessFacts(actor.truth.facts.pid);
  if (facts) {
    actor.truth.facts = std::move(*facts);
  }
  return {};
}

Status Stage::AwaitDeath(size_t worker) {
  Actor& actor = *actors_[worker];
  const UniqueFd process = OpenPidfd(actor.truth.facts.pid);
  if (process.valid()) {
    OOMBOX_RETURN_IF_ERROR(waiter_.Until(process.get(), "the kill"));
  }
  return Reap(actor);
}

Status Stage::AwaitDeathForever(size_t worker) {
  Actor& actor = *actors_[worker];
  const UniqueFd process = OpenPidfd(actor.truth.facts.pid);
  if (process.valid()) {
    OOMBOX_RETURN_IF_ERROR(waiter_.UntilForever(process.get(), "the command"));
  }
  return Reap(actor);
}

Status Stage::Reap(Actor& actor) {
  if (::waitpid(actor.truth.facts.pid, &actor.truth.wait_status, 0) < 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "waitpid");
  }
  actor.reaped = true;
  actor.channel.Reset(-1);
  return {};
}

Status Stage::Quit(size_t worker) {
  Send(actors_[worker]->channel.get(), Signal::kQuit);
  return AwaitDeath(worker);
}

Truth Stage::Report(const std::string& scenario) {
  Truth truth;
  truth.scenario = scenario;
  truth.cgroup_version = hierarchy_.version;
  truth.start_wall_ns = start_wall_ns_;
  truth.start_boottime_ns = start_boottime_ns_;
  truth.end_wall_ns = WallNowNs();
  truth.end_boottime_ns = BootNowNs();
  for (const Place& place : places_) {
    const Cgroup::Counters after = place.cgroup->ReadCounters();
    truth.cgroups.push_back({place.cgroup->path(), place.cgroup->id(), place.cgroup->limit_bytes(),
                             place.cgroup->swap_disabled(), place.before.oom_kill, after.oom_kill,
                             place.before.oom, after.oom});
  }
  for (const auto& actor : actors_) {
    actor->truth.touched_bytes = actor->spec.slot->touched_bytes;
    truth.processes.push_back(actor->truth);
  }
  return truth;
}

Status Stage::RemoveCgroups() {
  Status first;
  for (auto place = places_.rbegin(); place != places_.rend(); ++place) {  // the inner before
    const Status status = place->cgroup->Remove();
    place->delegation.reset();
    if (first && !status) {
      first = status;
    }
  }
  return first;
}

}  // namespace oombox
