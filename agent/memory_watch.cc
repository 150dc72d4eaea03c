#include "agent/memory_watch.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "agent/common/cgroup_tree.h"
#include "agent/container_usage.h"
#include "agent/identity/cgroup_path.h"

namespace oombox {

namespace {

// With notices only limits that are set late are waited for.
constexpr uint64_t kScanWithNoticesNs = 30'000'000'000;
constexpr uint64_t kScanNs = 10'000'000'000;

}  // namespace

std::vector<MissingFeature> MissingForMemory(const AgentConfig& config) {
  const auto hierarchy = FindMemoryHierarchy();
  if (config.no_pressure || !hierarchy) {
    const std::string why =
        config.no_pressure ? "switched off (no-pressure)" : hierarchy.error().message;
    return {{"pressure", why}, {"pressure.psi", why}};
  }
  if (!hierarchy->v2) {
    return {{"pressure.psi",
             "cgroup v1 has no memory.pressure: how long tasks wait for memory is known only from "
             "reclaim"}};
  }
  if (::access("/proc/pressure/memory", R_OK) != 0) {
    return {{"pressure.psi",
             "the kernel has no pressure stall information: boot it with psi=1 (CONFIG_PSI)"}};
  }
  return {};
}

std::string CurvePathOf(const AgentConfig& config) {
  constexpr std::string_view kEnding = ".sock";
  std::string path = config.socket;
  if (path.ends_with(kEnding)) {
    path.resize(path.size() - kEnding.size());
  }
  return path + ".curves";
}

std::shared_ptr<PressureWatch> PrepareMemoryWatch(const AgentConfig& config,
                                                  const JournalSession& session,
                                                  std::shared_ptr<ReclaimSource> reclaim,
                                                  bool has_notices,
                                                  std::vector<MissingFeature>& missing) {
  if (!config.replay.empty()) {
    return nullptr;
  }
  for (MissingFeature& lack : MissingForMemory(config)) {
    missing.push_back(std::move(lack));
  }
  auto hierarchy = FindMemoryHierarchy();
  if (config.no_pressure || !hierarchy) {
    return nullptr;
  }
  auto watch = std::make_shared<PressureWatch>(
      PressureWatch::Options{.hierarchy = *hierarchy,
                             .curves = {.path = CurvePathOf(config),
                                        .max_bytes = static_cast<size_t>(config.curve_max_bytes),
                                        .boot_id = session.boot_id},
                             .reclaim = std::move(reclaim),
                             .is_container =
                                 [](const std::string& path) {
                                   return IdentifyCgroup(path).kind == CgroupKind::kContainer;
                                 },
                             .scan_ns = has_notices ? kScanWithNoticesNs : kScanNs});
  if (const PressureWatch::Status status = watch->status(); !status.curves_persist) {
    missing.push_back(
        {"curve.file",
         "what is known of the memory before a kill ends with the agent: " + status.why_not});
  }
  return watch;
}

std::function<void(v1::NodeReport&)> ReportMemory(std::shared_ptr<PressureWatch> memory,
                                                  std::shared_ptr<ReclaimSource> reclaim,
                                                  std::shared_ptr<ContainerWatch> names) {
  return [memory = std::move(memory), reclaim = std::move(reclaim),
          names = std::move(names)](v1::NodeReport& report) {
    if (memory != nullptr) {
      FillPressureWatch(memory->status(), reclaim.get(), report);
      FillContainers(memory->Now(), names.get(), report);
    }
    if (names != nullptr) {
      FillNamesHealth(names->status(), report);
    }
  };
}

}  // namespace oombox
