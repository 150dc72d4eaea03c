#include "agent/probe_report.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/container_names.h"
#include "agent/machine.h"
#include "agent/memory_watch.h"
#include "agent/privileged_start.h"

namespace oombox {

namespace {

struct Feature {
  const char* name;  // as in MissingFeature
  const char* gives;
};

constexpr std::array kFeatures = {
    Feature{"kills", "every OOM kill: victim, trigger, cgroups, and which limit fired"},
    Feature{"top_users", "the ten biggest memory users, ranked at the kill"},
    Feature{"user_cmdlines", "what they were started as, also where /proc does not show them"},
    Feature{"exact_memory", "memory of processes exact to the page"},
    Feature{"memory_stat", "memory.stat of the cgroup that fired, at the kill"},
    Feature{"no_victim", "an OOM that found nobody to kill"},
    Feature{"kernel_symbols", "what the trigger was doing, from its kernel stack"},
    Feature{"container_names", "pod, container and owner, from the container runtime"},
    Feature{"container_names.early", "they are known before the kill, from the cgroup's making on"},
    Feature{"pressure", "memory of cgroups: warnings, and the curve before a kill"},
    Feature{"pressure.early", "new cgroups are read from their making on"},
    Feature{"pressure.psi", "how long tasks wait for memory, told by the kernel (PSI)"},
    Feature{"pressure.reclaim", "how long they wait in reclaim, measured"},
    Feature{"kernel_log", "kills of an absence, put together from the kernel log"},
    Feature{"pinning", "recording goes on while no agent runs"},
    Feature{"oom_score_adj", "the kernel never chooses the agent"},
};

// The folder or the first above it that exists is in a bpffs.
bool IsInBpffs(std::string path) {
  struct statfs fs {};
  while (statfs(path.c_str(), &fs) != 0 && path.size() > 1) {
    path.resize(std::max<size_t>(path.find_last_of('/'), 1));
  }
  return fs.f_type == BPF_FS_MAGIC;
}

}  // namespace

std::string RenderProbe(const std::string& kernel_release,
                        const std::vector<MissingFeature>& missing) {
  std::string text = fmt::format("Linux {}\n", kernel_release);
  for (const Feature& feature : kFeatures) {
    const auto lack = std::find_if(missing.begin(), missing.end(), [&](const MissingFeature& m) {
      return m.feature == feature.name;
    });
    text += fmt::format("{:3}  {:21}  {}\n", lack == missing.end() ? "yes" : "no", feature.name,
                        lack == missing.end() ? feature.gives : lack->reason);
  }
  return text;
}

tl::expected<std::string, StartFailure> ProbeReport(const AgentConfig& config) {
  AgentConfig unpinned = config;
  unpinned.pin_dir.clear();
  auto parts = StartPrivileged(unpinned);
  if (!parts) {
    return tl::unexpected(std::move(parts).error());
  }
  std::vector<MissingFeature> missing = parts->missing;
  for (const MissingFeature& lack : parts->probe->missing()) {
    if (lack.feature != "pinning") {
      missing.push_back(lack);
    }
  }
  for (MissingFeature& lack : MissingForMemory(config)) {
    missing.push_back(std::move(lack));
  }
  if (auto why = WhyNoContainerNames(config)) {
    missing.push_back({"container_names.early", "nobody is asked for names"});
    missing.push_back({"container_names", std::move(*why)});
  }
  if (config.pin_dir.empty()) {
    missing.push_back({"pinning", "switched off (pin-dir is empty)"});
  } else if (!IsInBpffs(config.pin_dir)) {
    missing.push_back(
        {"pinning", config.pin_dir + " is in no bpffs: mount -t bpf bpf /sys/fs/bpf"});
  }
  return RenderProbe(ReadMachine().kernel_release, missing);
}

}  // namespace oombox
