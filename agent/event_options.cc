#include "agent/event_options.h"

#include <string>
#include <utility>

#include "agent/capture/decode.h"
#include "agent/identity/cgroup_path.h"
#include "agent/process_cmdline.h"

namespace oombox {

EventStage::Options EventOptionsOf(const AgentConfig& config, const JournalSession& session,
                                   EventSources sources) {
  EventStage::Options options{
      .cluster_name = config.cluster,
      .node_name = config.node_name,
      .boot_id = session.boot_id,
      .replayed = !config.replay.empty(),
      .decode = DecodeRecord,
      .symbols = std::move(sources.symbols),
      .identify = IdentifyCgroup,
      .containers = std::move(sources.containers),
      .on_kill = [kills = std::move(sources.kills)](
                     const v1::Event& kill,
                     bool is_new) { is_new ? kills->Begin(kill) : kills->Stored(kill); },
      .history = sources.history};
  if (const Redactor* redactor = sources.redactor; redactor != nullptr) {
    options.read_cmdline = [](uint32_t tgid, uint64_t start) { return ReadCmdline(tgid, start); };
    options.redact = [redactor](std::string cmdline) {
      redactor->Redact(cmdline);
      return JoinArguments(std::move(cmdline));
    };
  }
  return options;
}

}  // namespace oombox
