#include "agent/privileged_start.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "agent/bpf_loader/pressure_probe.h"
#include "agent/capture/accounting.h"
#include "agent/container_names.h"
#include "agent/privileges.h"
#include "agent/symbolizer/kernel_symbols.h"

namespace oombox {

namespace {

void LogAttachment(const KillProbe& probe, uint64_t wanted_ring_bytes) {
  const AttachInfo& info = probe.info();
  if (info.pin_path.empty()) {
    return;  // said among what is missing
  }
  spdlog::info("kill programs pinned={} adopted={} replaced={}", info.pin_path, info.adopted,
               info.replaced);
  if (probe.ring_bytes() != wanted_ring_bytes) {
    spdlog::warn(
        "the pinned ring has {} bytes, ring-bytes {} is for a new one: stop this agent and run "
        "oombox-agent --uninstall once to have it",
        probe.ring_bytes(), wanted_ring_bytes);
  }
}

void TellMissing(const char* feature, const Error& error, std::vector<MissingFeature>& missing) {
  spdlog::info("{}", error.message);
  missing.push_back({feature, error.message});
}

// Beside the kill object: nothing is lost without them but what they tell.
void LoadWatchers(const AgentConfig& config, PrivilegedParts& parts) {
  if (auto cgroups = CgroupProbe::Load()) {
    parts.cgroups = std::move(*cgroups);
  } else {
    if (!CriSocketsOf(config).empty()) {
      TellMissing("container_names.early", cgroups.error(), parts.missing);
    }
    TellMissing("pressure.early", cgroups.error(), parts.missing);
  }
  if (config.no_pressure) {
    parts.missing.push_back({"pressure.reclaim", "switched off (no-pressure)"});
    return;
  }
  if (auto reclaim = LoadPressureProbe()) {
    parts.reclaim = std::move(*reclaim);
  } else {
    TellMissing("pressure.reclaim", reclaim.error(), parts.missing);
  }
}

tl::expected<PrivilegedParts, StartFailure> Prepare(const AgentConfig& config) {
  PrivilegedParts parts;
  auto redactor =
      Redactor::Make({.defaults = !config.no_default_masks, .patterns = config.mask_pattern});
  if (!redactor) {
    return tl::unexpected(StartFailure{ExitCode::kUsage, redactor.error().message});
  }
  parts.redactor = std::move(*redactor);
  if (const auto protection = SetOomScoreAdj(config.oom_score_adj); !protection) {
    TellMissing("oom_score_adj", protection.error(), parts.missing);
  }
  auto probe =
      KillProbe::Load({.ring_bytes = static_cast<uint64_t>(config.ring_bytes),
                       .pin_dir = config.pin_dir,
                       .rank_budget_ns = static_cast<uint64_t>(config.rank_budget_us) * 1000});
  if (!probe) {
    return tl::unexpected(StartFailure{CodeOfLoad(probe.error()), probe.error().message});
  }
  parts.probe = std::move(*probe);
  NoteBase(
      parts.probe->attachment(), [&] { return parts.probe->Counters(); },
      [] { return ReadKernelKills(); });
  LogAttachment(*parts.probe, static_cast<uint64_t>(config.ring_bytes));
  LoadWatchers(config, parts);
  auto log = KernelLog::Open();
  if (log) {
    parts.kernel_log = std::move(*log);
  } else {
    TellMissing("kernel_log", log.error(), parts.missing);
  }
  auto symbols = KernelSymbols::Open();
  if (symbols) {
    parts.symbols = std::move(*symbols);
  } else {
    TellMissing("kernel_symbols", symbols.error(), parts.missing);
  }
  return parts;
}

}  // namespace

tl::expected<PrivilegedParts, StartFailure> StartPrivileged(const AgentConfig& config) {
  PrivilegedParts parts;
  if (config.replay.empty()) {
    auto prepared = Prepare(config);
    if (!prepared) {
      return prepared;
    }
    parts = std::move(*prepared);
  }
  if (const auto dropped = DropCapabilities(); !dropped) {
    return tl::unexpected(StartFailure{ExitCode::kFailure, dropped.error().message});
  }
  return parts;
}

}  // namespace oombox
