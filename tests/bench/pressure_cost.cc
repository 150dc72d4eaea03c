// What it costs to watch the memory of 10, 250 and 2 500 cgroups that are far from their limit, and
// what a storm of reclaims costs with and without the programs. In cgroups of its own; prints JSON
// lines.
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/bpf_loader/pressure_probe.h"
#include "agent/pressure/pressure_watch.h"
#include "tests/support/reclaim.h"

namespace oombox {
namespace {

using Seconds = std::chrono::duration<double>;

// A new cgroup is read often until it is this old (Watched::Interval).
constexpr std::chrono::seconds kSettle(42);
constexpr std::chrono::seconds kMeasure(30);
constexpr uint64_t kLimit = 64 << 20;

struct Room {
  std::vector<std::unique_ptr<Cgroup>> cgroups;  // the parent first
  std::unique_ptr<PressureWatch> watch;
  PressureWatch::Status before;
};

std::unique_ptr<Cgroup> Make(const Hierarchy& hierarchy, const std::string& parent,
                             const std::string& name, std::optional<uint64_t> limit) {
  auto made = Cgroup::Create(hierarchy, parent, name, limit);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message.c_str());
    std::exit(1);
  }
  return std::move(*made);
}

Room Fill(const Hierarchy& hierarchy, size_t count) {
  Room room;
  room.cgroups.push_back(Make(hierarchy, hierarchy.own_path,
                              fmt::format("oombox-bench-{}-{}", getpid(), count), std::nullopt));
  const std::string parent = room.cgroups.front()->path();
  if (hierarchy.version == 2) {
    static_cast<void>(
        WriteSmallFile(*hierarchy.DirectoryOf(parent) + "/cgroup.subtree_control", "+memory"));
  }
  for (size_t i = 0; i < count; ++i) {
    room.cgroups.push_back(Make(hierarchy, parent, std::to_string(i), kLimit));
  }
  room.watch = std::make_unique<PressureWatch>(PressureWatch::Options{
      .hierarchy = {.root = *hierarchy.DirectoryOf(parent), .v2 = hierarchy.version == 2},
      .curves = {.max_bytes = size_t{4} << 20, .boot_id = "bench"},
      .scan_ns = 30'000'000'000});
  room.watch->Start([](const PressureChange&) {});
  return room;
}

void PrintWatched(const Room& room) {
  const PressureWatch::Status now = room.watch->status();
  const double seconds = Seconds(kMeasure).count();
  const auto spent = static_cast<double>(now.reading_ns - room.before.reading_ns);
  const auto readings = static_cast<double>(now.readings - room.before.readings);
  std::printf(
      "{\"what\":\"watch\",\"cgroups\":%zu,\"watched\":%zu,\"readings_per_second\":%.1f,"
      "\"core_percent\":%.3f,\"us_per_reading\":%.1f,\"stretch\":%u,\"curves\":%zu}\n",
      room.cgroups.size() - 1, now.watched, readings / seconds, spent / 1e7 / seconds,
      spent / 1e3 / std::max(readings, 1.0), now.stretch, now.curves);
}

double Storm(const Cgroup& cgroup) {
  const auto begin = std::chrono::steady_clock::now();
  if (!EndedWell(StartIn(cgroup, [] { return TouchReclaimable(uint64_t{512} << 20); }))) {
    std::fprintf(stderr, "the storm did not end well\n");
    std::exit(1);
  }
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

// Pairs, one with and one without in turn: the machine's moods are in both.
void MeasureStorm(const Hierarchy& hierarchy) {
  constexpr int kPairs = 15;
  const auto cgroup =
      Make(hierarchy, hierarchy.own_path, fmt::format("oombox-bench-{}-storm", getpid()), 16 << 20);
  std::vector<double> ratios;
  ReclaimSource::Health sum;
  for (int i = 0; i < kPairs; ++i) {
    const double without = Storm(*cgroup);
    const auto probe = LoadPressureProbe();
    if (!probe) {
      std::fprintf(stderr, "%s\n", probe.error().message.c_str());
      std::exit(1);
    }
    ratios.push_back(Storm(*cgroup) / without);
    sum.reclaims += (*probe)->health().reclaims;
    sum.lost += (*probe)->health().lost;
    sum.run_ns += (*probe)->health().run_ns;
  }
  std::nth_element(ratios.begin(), ratios.begin() + kPairs / 2, ratios.end());
  std::printf(
      "{\"what\":\"reclaim\",\"reclaims\":%llu,\"lost\":%llu,\"ns_per_reclaim\":%.0f,"
      "\"ratio\":%.3f}\n",
      static_cast<unsigned long long>(sum.reclaims), static_cast<unsigned long long>(sum.lost),
      static_cast<double>(sum.run_ns) / static_cast<double>(std::max<uint64_t>(sum.reclaims, 1)),
      ratios[kPairs / 2]);
}

int Main() {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto hierarchy = FindOwnHierarchy();
  if (!hierarchy) {
    std::fprintf(stderr, "%s\n", hierarchy.error().message.c_str());
    return 1;
  }
  MeasureStorm(*hierarchy);
  std::vector<Room> rooms;
  for (const size_t count : {10, 250, 2500}) {
    rooms.push_back(Fill(*hierarchy, count));
  }
  std::this_thread::sleep_for(kSettle);
  for (Room& room : rooms) {
    room.before = room.watch->status();
  }
  std::this_thread::sleep_for(kMeasure);
  for (Room& room : rooms) {
    PrintWatched(room);
  }
  for (Room& room : rooms) {
    room.watch.reset();
    while (!room.cgroups.empty()) {  // the parent last
      static_cast<void>(room.cgroups.back()->Remove());
      room.cgroups.pop_back();
    }
  }
  return 0;
}

}  // namespace
}  // namespace oombox

int main() { return oombox::Main(); }
