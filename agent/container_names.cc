#include "agent/container_names.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <utility>

#include "agent/identity/cgroup_path.h"
#include "agent/identity/cri_client.h"

namespace oombox {

namespace {

constexpr std::chrono::milliseconds kDeadline(2'000);

// Of a container's own cgroup; empty for every other.
std::string ContainerIdOf(const std::string& path) {
  CgroupIdentity identity = IdentifyCgroup(path);
  return identity.kind == CgroupKind::kContainer ? std::move(identity.container_id) : "";
}

}  // namespace

std::vector<std::string> CriSocketsOf(const AgentConfig& config) {
  if (!config.replay.empty() || config.no_cri) {
    return {};
  }
  return config.cri_socket.empty() ? FindCriSockets("") : std::vector{config.cri_socket};
}

std::optional<std::string> WhyNoContainerNames(const AgentConfig& config) {
  if (config.no_cri) {
    return "no-cri is set: events have the ids of the cgroup's path";
  }
  if (CriSocketsOf(config).empty()) {
    return "no socket of containerd, CRI-O or cri-dockerd was where it usually is when the agent "
           "started: mount it, name it with cri-socket (then it may also come later), or set "
           "no-cri";
  }
  return std::nullopt;
}

void FollowCgroups(CgroupProbe& cgroups, const std::shared_ptr<ContainerWatch>& names,
                   const std::shared_ptr<PressureWatch>& memory) {
  cgroups.Start(
      {.appeared =
           [names, memory](const std::string& path) {
             if (memory != nullptr) {
               memory->Appeared(path);
             }
             if (const std::string id = ContainerIdOf(path); names != nullptr && !id.empty()) {
               names->Appeared(id);
             }
           },
       .removed =
           [names, memory](const std::string& path) {
             if (memory != nullptr) {
               memory->Removed(path);
             }
             if (const std::string id = ContainerIdOf(path); names != nullptr && !id.empty()) {
               names->Removed(id);
             }
           },
       .lost =
           [names] {
             if (names != nullptr) {  // who watches memory looks again anyway
               names->LostNotices();
             }
           }});
}

std::shared_ptr<ContainerWatch> WatchContainers(const AgentConfig& config,
                                                std::vector<MissingFeature>& missing) {
  if (!config.replay.empty()) {
    return nullptr;
  }
  if (auto why = WhyNoContainerNames(config)) {
    missing.push_back({"container_names", std::move(*why)});
    return nullptr;
  }
  const std::vector<std::string> sockets = CriSocketsOf(config);
  spdlog::info("names of containers are asked of {}", fmt::join(sockets, ", "));
  return std::make_shared<ContainerWatch>(ConnectCri(sockets, kDeadline),
                                          ContainerWatch::Options());
}

}  // namespace oombox
