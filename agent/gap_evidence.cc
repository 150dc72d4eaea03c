#include "agent/gap_evidence.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace oombox {

GapEvidence::GapEvidence(Sources sources) : sources_(std::move(sources)) {
  if (auto found = FindMemoryHierarchy()) {
    hierarchy_ = std::move(*found);
  }
  auto saved = LoadCgroupKills(sources_.cgroup_kills_path);
  if (saved && saved->boot_id == sources_.boot_id) {
    agreed_ = std::move(saved->kills);
  }
}

std::vector<LoggedKill> GapEvidence::Logged(uint64_t from_boottime_ns, uint64_t to_boottime_ns) {
  if (!sources_.log) {
    return {};
  }
  auto kills = sources_.log->KillsBetween(from_boottime_ns, to_boottime_ns);
  if (!kills) {
    spdlog::warn("the kernel log cannot be read: {}", kills.error().message);
    return {};
  }
  return std::move(*kills);
}

std::vector<CgroupKills> GapEvidence::Grown() const {
  if (!hierarchy_ || !agreed_) {
    return {};
  }
  return GrownSince(*agreed_, ReadCgroupKills(*hierarchy_).kills);
}

void GapEvidence::NoteAgreement(uint64_t kernel_kills) {
  if (!hierarchy_ || (agreed_ && agreed_kernel_kills_ == kernel_kills)) {
    return;
  }
  agreed_ = ReadCgroupKills(*hierarchy_).kills;
  agreed_kernel_kills_ = kernel_kills;
  const auto saved =
      SaveCgroupKills(sources_.cgroup_kills_path, {.boot_id = sources_.boot_id, .kills = *agreed_});
  if (!saved) {
    spdlog::debug("{}", saved.error().message);  // last-seen beside it has told already
  }
}

}  // namespace oombox
