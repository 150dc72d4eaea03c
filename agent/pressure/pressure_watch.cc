#include "agent/pressure/pressure_watch.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "agent/common/clock.h"
#include "agent/pressure/trend.h"
#include "agent/pressure/turns.h"

namespace oombox {

namespace {

constexpr uint64_t kReclaimNs = 1'000'000'000;
constexpr unsigned kMaxScanStretch = 6;  // a minute
constexpr uint64_t kTrendNs = 10'000'000'000;
constexpr const char* kNode = "/";
constexpr uint64_t kIdleBytes = 1 << 20;

}  // namespace

PressureWatch::PressureWatch(Options options)
    : options_(std::move(options)),
      reader_(options_.hierarchy, options_.proc),
      brake_(options_.budget_permille, BootNowNs()),
      reclaim_brake_(options_.reclaim_budget_permille) {
  auto curves = OpenOrInMemory(options_.curves, status_.why_not);
  if (curves) {
    curves_ = std::move(*curves);
    status_.curves_persist = curves_->persistent();
    status_.damaged_files = curves_->damaged() ? 1 : 0;
    for (CurveFile::Resumed& resumed : curves_->resumed()) {
      if (auto change = ToldAgain(resumed)) {
        told_again_.push_back(std::move(*change));
      } else if (resumed.state > PressureState::kOk) {  // told long ago: a kill may name it
        alarms_.Begin(resumed.cgroup.id, resumed.state_since_ns);
      }
      resumed_.emplace(resumed.cgroup.id, std::move(resumed));
    }
  }
}

void PressureWatch::Start(Changed changed) {
  tell_ = std::move(changed);
  TellAgain();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void PressureWatch::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void PressureWatch::Appeared(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    fresh_.Add(path, BootNowNs());
    poked_ = true;
  }
  changed_.notify_all();
}

void PressureWatch::Removed(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    fresh_.Erase(path);
    if (!watched_.contains(path)) {
      return;
    }
    removed_.push_back(path);
    poked_ = true;
  }
  changed_.notify_all();
}

void PressureWatch::Run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "oom-pressure");
  if (reader_.ReadNode()) {
    Watch(kNode, 0, BootNowNs());
  }
  while (!stop.stop_requested()) {
    Step(BootNowNs());
    const uint64_t due = NextDue();
    const uint64_t now = BootNowNs();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::chrono::nanoseconds(due > now ? due - now : 0),
                      [this] { return poked_; });
    poked_ = false;
  }
}

uint64_t PressureWatch::NextDue() const {
  const std::lock_guard lock(mutex_);
  uint64_t due = std::min({scan_at_ns_, brake_.due_ns(), fresh_.NextDue()});
  if (options_.reclaim != nullptr) {
    due = std::min(due, reclaim_at_ns_);
  }
  for (const auto& [path, watched] : watched_) {
    due = std::min(due, watched.due_ns());
  }
  return due;
}

void PressureWatch::Step(uint64_t now) {
  TakeNotices(now);
  if (now >= scan_at_ns_) {
    Scan(now);
    scan_at_ns_ = now + options_.scan_ns * std::min(status_.stretch, kMaxScanStretch);
  }
  if (options_.reclaim != nullptr && now >= reclaim_at_ns_) {
    TakeReclaim(now);
    reclaim_at_ns_ = now + kReclaimNs;
  }
  ReadDue(now);
  LookAtCost(now);
}

// Only when there was reclaim since the last look: then all of it.
void PressureWatch::TakeReclaim(uint64_t now) {
  const uint64_t changes = options_.reclaim->Changes();
  if (options_.reclaim->health().disarmed || changes == std::exchange(reclaim_changes_, changes)) {
    return;
  }
  auto counts = options_.reclaim->Read();
  if (!counts) {
    return;
  }
  const bool names_target = options_.reclaim->health().names_target;
  std::map<uint64_t, uint64_t> before;
  before.swap(reclaim_stalls_);
  for (const auto& [id, of] : *counts) {
    reclaim_stalls_[id] = of.stall_ns;
  }
  const std::lock_guard lock(mutex_);
  for (auto& [path, watched] : watched_) {
    const uint64_t id = watched.cgroup().is_node() ? ReclaimSource::kNode : watched.cgroup().id;
    if (const auto found = counts->find(id); found != counts->end()) {
      const auto earlier = before.find(id);
      watched.AddReclaim(found->second, earlier == before.end() ? 0 : earlier->second, names_target,
                         now);
      counts->erase(found);
    }
  }
  // Of cgroups that nobody watches: their places are needed.
  for (const auto& [id, of] : *counts) {
    if (id != ReclaimSource::kNode && of.last_boottime_ns + options_.forget_reclaim_ns < now) {
      options_.reclaim->Forget(id);
      reclaim_stalls_.erase(id);
    }
  }
}

void PressureWatch::ReadDue(uint64_t now) {
  std::vector<std::pair<std::string, Found>> gone;
  Turns turns(watched_, now);
  while (Watched* next = turns.Next(BootNowNs())) {
    if (const Found found = ReadOne(*next, turns.IsOfTheNearest(*next)); found != Found::kIt) {
      gone.emplace_back(next->cgroup().path, found);
    }
  }
  for (const auto& [path, found] : gone) {
    Drop(path, now);
    if (found == Found::kAnother) {
      const std::lock_guard lock(mutex_);
      fresh_.Add(path, now);
    }
  }
}

PressureWatch::Found PressureWatch::ReadOne(Watched& watched, bool of_nearest) {
  using Detail = MemoryReader::Detail;
  const uint64_t begin = BootNowNs();
  const uint64_t cpu_begin = ThreadCpuNs();
  const std::string& path = watched.cgroup().path;
  const bool is_node = watched.cgroup().is_node();
  bool all = is_node || watched.WantsAll(begin);
  auto reading =
      is_node ? reader_.ReadNode() : reader_.Read(path, all ? Detail::kAll : Detail::kUsage);
  if (reading && !all && watched.WantsAllAfter(reading->sample)) {
    all = true;
    reading = reader_.Read(path, Detail::kAll);
  }
  if (!reading && (is_node || reading.error().code != ErrorCode::kGone)) {
    const std::lock_guard lock(mutex_);
    watched.Postpone(begin);
    return Found::kIt;
  }
  if (!reading || (!is_node && reading->cgroup_id != watched.cgroup().id)) {
    return reading ? Found::kAnother : Found::kNothing;
  }
  std::optional<PressureStateMachine::Change> change;
  {
    const std::lock_guard lock(mutex_);
    change = watched.Add(*reading, all, status_.stretch, of_nearest);
    bool& has_psi = is_node ? status_.node_has_psi : status_.has_psi;
    has_psi = all ? reading->has_psi || (has_psi && !is_node) : has_psi;
    ++status_.readings;
  }
  Keep(watched, reading->sample);
  UpdateTrend(watched, reading->sample.boottime_ns, change.has_value());
  if (change) {
    Tell(watched, *change, reading->sample.boottime_ns);
  }
  const std::lock_guard lock(mutex_);
  status_.reading_ns += ThreadCpuNs() - cpu_begin;
  return Found::kIt;
}

// A pod's sandbox is a container, too, of some 100 KiB and without a limit: it needs no place.
void PressureWatch::Keep(Watched& watched, const MemorySample& sample) {
  const bool is_idle = !sample.limit_bytes && sample.usage_bytes.value_or(0) < kIdleBytes;
  if (curves_ == nullptr || (is_idle && !watched.cgroup().is_node())) {
    return;
  }
  const bool kept = curves_->Add(watched.cgroup(), sample, watched.share());
  const std::lock_guard lock(mutex_);
  if (kept) {
    refused_.erase(watched.cgroup().path);
  } else {
    refused_.insert(watched.cgroup().path);
  }
}

void PressureWatch::UpdateTrend(Watched& watched, uint64_t now, bool at_once) {
  const bool near = watched.share() >= Watched::kNear;
  if (curves_ == nullptr ||
      (!at_once && now - watched.trend_ns() < (near ? kReclaimNs : kTrendNs))) {
    return;
  }
  const auto history = curves_->Before(watched.cgroup().id, now + 1);
  const auto trend = history ? TrendOf(history->points, watched.cgroup().is_node()) : std::nullopt;
  const std::lock_guard lock(mutex_);
  watched.SetTrend(trend, now);
}

void PressureWatch::Tell(Watched& watched, const PressureStateMachine::Change& change,
                         uint64_t now) {
  const uint64_t id = watched.cgroup().id;
  PressureChange told{.previous = change.previous,
                      .cause = change.cause,
                      .boottime_ns = now,
                      .previous_since_ns = change.previous_since_ns};
  {
    const std::lock_guard lock(mutex_);
    told.now = watched.Now(now);
  }
  if (curves_ != nullptr) {
    curves_->NoteState(told);
  }
  tell_(std::move(told));
  // Only now: who names an alarm of a kill finds it told.
  const std::lock_guard lock(mutex_);
  if (change.state > PressureState::kOk) {
    alarms_.Begin(id, now);
  } else {
    alarms_.End(id, now);
  }
}

void PressureWatch::LookAtCost(uint64_t now) {
  if (now < brake_.due_ns()) {
    return;
  }
  if (options_.reclaim != nullptr) {
    BrakeReclaim(now, now - brake_.due_ns() + Brake::kEveryNs);
  }
  const std::lock_guard lock(mutex_);
  brake_.Look(now, status_.reading_ns);
  status_.stretch = brake_.stretch();
}

void PressureWatch::BrakeReclaim(uint64_t now, uint64_t of_ns) {
  using Order = ReclaimBrake::Order;
  const ReclaimSource::Health health = options_.reclaim->health();
  const Order order = reclaim_brake_.Look(now, of_ns, health.run_ns, health.disarmed);
  if (order == Order::kArm) {
    options_.reclaim->Arm(true);
    reclaim_changes_ = UINT64_MAX;  // what is known is read again, also where nothing moves
  } else if (order == Order::kDisarm) {
    if (reclaim_brake_.times() == 1) {
      spdlog::warn("reclaim is measured only now and then: the programs took {} ms of {} s",
                   reclaim_brake_.took_ns() / 1'000'000, of_ns / 1'000'000'000);
    }
    options_.reclaim->Arm(false);
    const std::lock_guard lock(mutex_);
    for (auto& [path, watched] : watched_) {
      watched.ForgetReclaim();
    }
  }
}

std::vector<CgroupPressure> PressureWatch::Now() {
  const uint64_t now = BootNowNs();
  const std::lock_guard lock(mutex_);
  std::vector<CgroupPressure> all;
  for (auto& [path, watched] : watched_) {  // "/" sorts before every path
    all.push_back(watched.Now(now));
  }
  return all;
}

PressureWatch::Status PressureWatch::status() const {
  const std::lock_guard lock(mutex_);
  Status status = status_;
  status.curves = curves_ == nullptr ? 0 : curves_->curves();
  status.curves_refused = refused_.size();
  for (const auto& [path, watched] : watched_) {
    status.watched += watched.cgroup().is_node() ? 0 : 1;
    status.warning += watched.state() == PressureState::kWarning ? 1 : 0;
    status.critical += watched.state() == PressureState::kCritical ? 1 : 0;
    status.damped += watched.damped();
  }
  return status;
}

std::optional<MemoryHistory> PressureWatch::Before(uint64_t cgroup_id, uint64_t boottime_ns) const {
  return curves_ == nullptr ? std::nullopt : curves_->Before(cgroup_id, boottime_ns);
}

std::optional<uint64_t> PressureWatch::AlarmedSince(uint64_t cgroup_id,
                                                    uint64_t boottime_ns) const {
  const std::lock_guard lock(mutex_);
  return alarms_.Since(cgroup_id, boottime_ns);
}

}  // namespace oombox
