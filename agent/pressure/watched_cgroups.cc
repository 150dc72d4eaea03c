// Which cgroups PressureWatch watches: those a scan or a notice finds, until they are gone.
#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "agent/common/clock.h"
#include "agent/common/unique_fd.h"
#include "agent/pressure/pressure_watch.h"
#include "agent/pressure/trend.h"

namespace oombox {

namespace {

// Near a limit, readings of the last minutes are no further apart in the curve.
constexpr uint64_t kFineNs = 2'000'000'000;

uint64_t IdOf(int dir) {
  struct stat status {};
  return ::fstat(dir, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

bool PressureWatch::IsWatched(const std::string& path, uint64_t cgroup_id) const {
  const auto found = watched_.find(path);
  return found != watched_.end() && found->second.cgroup().id == cgroup_id;
}

bool PressureWatch::IsWanted(const std::string& path, int dir) const {
  return (options_.is_container && options_.is_container(path) && reader_.TellsUsage(dir)) ||
         reader_.HasLimit(dir);
}

// Notices may be lost, and limits be set at any time: everything that is there is looked at.
void PressureWatch::Scan(uint64_t now) {
  const uint64_t begin = ThreadCpuNs();
  std::set<std::string> there;
  std::map<std::string, uint64_t> wanted;
  size_t total = 0;
  const CgroupWalk walk =
      WalkCgroups(options_.hierarchy.root, kMaxCgroups, [&](const std::string& path, int dir) {
        if (path.empty()) {
          return true;
        }
        ++total;
        if (const uint64_t id = IdOf(dir); IsWatched(path, id)) {
          there.insert(path);
        } else if (IsWanted(path, dir)) {
          wanted.emplace(path, id);
        }
        return true;
      });
  for (const auto& [path, id] : wanted) {
    Drop(path, now);  // one of the same name that went unseen
    Watch(path, id, now);
    there.insert(path);
  }
  std::vector<std::string> gone;
  for (const auto& [path, watched] : watched_) {
    if (!walk.cut && !watched.cgroup().is_node() && !there.contains(path)) {
      gone.push_back(path);
    }
  }
  for (const std::string& path : gone) {
    Drop(path, now);
  }
  if (!walk.cut) {
    ForgetResumed(now);
  }
  const std::lock_guard lock(mutex_);
  status_.total = total;
  status_.cut = walk.cut;
  status_.reading_ns += ThreadCpuNs() - begin;
}

// After the first scan: what an earlier run watched and is not there has gone meanwhile.
void PressureWatch::ForgetResumed(uint64_t now) {
  for (const auto& [id, resumed] : std::exchange(resumed_, {})) {
    Watched gone(resumed.cgroup, false, now);
    gone.Resume(resumed.state, resumed.cause, resumed.state_since_ns);
    curves_->NoteGone(id, now);
    if (const auto change = gone.Remove(now)) {
      Tell(gone, *change, now);
    }
  }
}

// The earlier run may have been killed before the alarm was stored; one that was stored is known by
// its time. With the reading it was told by, or, where the curve has given that up, one of the two
// seconds before. What is older than all of these was told long ago.
std::optional<PressureChange> PressureWatch::ToldAgain(const CurveFile::Resumed& resumed) const {
  const uint64_t since = resumed.state_since_ns;
  const auto history = resumed.state > PressureState::kOk
                           ? curves_->Before(resumed.cgroup.id, since + 1)
                           : std::nullopt;
  if (!history || history->points.back().boottime_ns + kFineNs < since) {
    return std::nullopt;
  }
  PressureChange change{.now = {.cgroup = resumed.cgroup,
                                .state = resumed.state,
                                .sample = history->points.back(),
                                .trend = TrendOf(history->points, resumed.cgroup.is_node())},
                        .previous = resumed.previous,
                        .cause = resumed.cause,
                        .boottime_ns = since,
                        .previous_since_ns = resumed.previous_since_ns,
                        .told_again = true};
  change.now.sample.some_avg60 = resumed.some_avg60;
  change.now.sample.full_avg60 = resumed.full_avg60;
  return change;
}

void PressureWatch::TellAgain() {
  for (PressureChange& change : std::exchange(told_again_, {})) {
    const uint64_t id = change.now.cgroup.id;
    const uint64_t since = change.boottime_ns;
    tell_(std::move(change));
    // Only now, as in Tell.
    const std::lock_guard lock(mutex_);
    alarms_.Begin(id, since);
  }
}

void PressureWatch::TakeNotices(uint64_t now) {
  std::vector<std::string> removed;
  std::vector<std::string> due;
  {
    const std::lock_guard lock(mutex_);
    removed.swap(removed_);
    due = fresh_.TakeDue(now);
  }
  for (const std::string& path : removed) {
    const auto reading = reader_.Read(path, MemoryReader::Detail::kUsage);
    if (!reading && reading.error().code == ErrorCode::kGone) {  // of v1 another hierarchy's may go
      Drop(path, now);
    }
  }
  for (const std::string& path : due) {
    const UniqueFd dir(::open((options_.hierarchy.root + path).c_str(),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const uint64_t id = dir.valid() ? IdOf(dir.get()) : 0;
    if (id != 0 && !IsWatched(path, id) && IsWanted(path, dir.get())) {
      Drop(path, now);
      Watch(path, id, now);
    }
  }
}

void PressureWatch::Watch(const std::string& path, uint64_t cgroup_id, uint64_t now) {
  const bool is_container = cgroup_id != 0 && options_.is_container && options_.is_container(path);
  const std::lock_guard lock(mutex_);
  fresh_.Erase(path);
  Watched& watched =
      watched_.try_emplace(path, WatchedCgroup{cgroup_id, path}, is_container, now).first->second;
  const auto found = resumed_.find(cgroup_id);
  if (found == resumed_.end()) {
    return;
  }
  if (path.starts_with(found->second.cgroup.path)) {  // a long one is kept cut
    watched.Resume(found->second.state, found->second.cause, found->second.state_since_ns);
  }
  resumed_.erase(found);
}

void PressureWatch::Drop(const std::string& path, uint64_t now) {
  const auto found = watched_.find(path);
  if (found == watched_.end()) {
    return;
  }
  const uint64_t id = found->second.cgroup().id;
  if (curves_ != nullptr) {
    curves_->NoteGone(id, now);
  }
  if (options_.reclaim != nullptr) {
    options_.reclaim->Forget(id);
  }
  if (const auto change = found->second.Remove(now)) {
    Tell(found->second, *change, now);
  }
  const std::lock_guard lock(mutex_);
  status_.damped += found->second.damped();
  refused_.erase(path);
  watched_.erase(found);
}

}  // namespace oombox
