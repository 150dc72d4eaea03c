#include <spdlog/spdlog.h>

#include "agent/agent.h"
#include "agent/bpf_loader/kill_probe.h"

namespace oombox {

tl::expected<void, StartFailure> Uninstall(const AgentConfig& config) {
  if (const auto removed = RemovePins(config.pin_dir); !removed) {
    return tl::unexpected(StartFailure{CodeOf(removed.error()), removed.error().message});
  }
  spdlog::info("no oombox program is pinned in {} any more", config.pin_dir);
  return {};
}

}  // namespace oombox
