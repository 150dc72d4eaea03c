#include "agent/config.h"

#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "agent/common/metrics_server.h"
#include "agent/kill_tally.h"

namespace oombox {

namespace {

// Where it is, whom it speaks to, what it says.
std::vector<ConfigOption> Addresses(AgentConfig& c) {
  return {
      {"state-dir", &c.state_dir, "Folder of journal and event store"},
      {"socket", &c.socket, "Unix socket of the query services"},
      {"collector", &c.collector, "Collector addresses, tried in turn; none: keep events here"},
      {"cluster", &c.cluster, "Name of the cluster, on every event"},
      {"node-name", &c.node_name, "Name of the node; empty: the host name"},
      {"metrics-listen", &c.metrics_listen,
       "Address of the Prometheus metrics, for instance 127.0.0.1:9464; empty: none. "
       "Neither TLS "
       "nor passwords: keep it on loopback, or where only Prometheus gets at it"},
      {"metrics-labels", &c.metrics_labels,
       "Labels of containers in the metrics, of namespace, pod, container, owner, image, "
       "qos; the fewer, the fewer series"},
      {"log-format", &c.log_format, "text or json"},
      {"log-level", &c.log_level, "debug, info, warn, error or off"},
  };
}

// What is recorded.
std::vector<ConfigOption> Watching(AgentConfig& c) {
  return {
      {"pin-dir", &c.pin_dir,
       "Folder in bpffs that keeps the programs recording while no agent runs; empty: off"},
      {"ring-bytes", &c.ring_bytes, "Size of the kernel's ring of kill records, a power of two"},
      {"rank-budget-us", &c.rank_budget_us,
       "Time in microseconds a second that ranking memory users may take at kills; 0: no "
       "ranking"},
      {"oom-score-adj", &c.oom_score_adj,
       "The agent's own oom_score_adj, where it may be set; -1000: never killed",
       ConfigOption::Kind::kSignedSetting},
      {"mask-pattern", &c.mask_pattern,
       "Further RE2 expressions of what is a secret on a command line (the first group); "
       "it "
       "is overwritten before anything is stored"},
      {"no-default-masks", &c.no_default_masks,
       "Do not mask passwords, tokens and keys by their usual names and forms"},
      {"cri-socket", &c.cri_socket,
       "Socket of the container runtime, asked for names and exits; empty: where "
       "containerd, "
       "CRI-O and cri-dockerd usually have it"},
      {"no-cri", &c.no_cri,
       "Do not ask the container runtime: events have container and pod ids, no names"},
      {"no-pressure", &c.no_pressure,
       "Do not watch the memory of cgroups: no warnings, no curve before a kill, no `top`"},
      {"curve-max-bytes", &c.curve_max_bytes,
       "Bound of the file of curves, beside the socket; 16 KiB for each cgroup"},
  };
}

// What is kept, and how it is sent.
std::vector<ConfigOption> Keeping(AgentConfig& c) {
  return {
      {"journal-max-bytes", &c.journal_max_bytes, "Bound of the journal of raw records"},
      {"store-max-bytes", &c.store_max_bytes, "Bound of the event store"},
      {"store-max-age", &c.store_max_age,
       "Age in seconds after which events, and records that are events, are removed"},
      {"tls-ca", &c.tls_ca, "CA certificate that signed the collector's"},
      {"tls-cert", &c.tls_cert, "This agent's certificate"},
      {"tls-key", &c.tls_key, "Key of tls-cert"},
      {"insecure", &c.insecure, "Allow plaintext to a collector that is not on this machine"},
  };
}

// Another kind of run.
std::vector<ConfigOption> Runs(AgentConfig& c) {
  return {
      {"replay", &c.replay, "A recorded journal to replay instead of watching the kernel"},
      {"uninstall", &c.uninstall,
       "Remove the programs that an agent left in the kernel (pin-dir), and exit",
       ConfigOption::Kind::kCommand},
      {"probe", &c.probe,
       "Print what this kernel and these rights give, feature by feature, and exit",
       ConfigOption::Kind::kCommand},
  };
}

ConfigTable Table(AgentConfig& c) {
  ConfigTable table{.program = "oombox-agent",
                    .description = "Records every OOM kill of this node and serves what it knows.",
                    .env_prefix = "OOMBOX_AGENT_",
                    .default_file = "/etc/oombox/agent.toml",
                    .version = OOMBOX_VERSION};
  for (auto part : {Addresses, Watching, Keeping, Runs}) {
    for (ConfigOption& option : part(c)) {
      table.options.push_back(std::move(option));
    }
  }
  return table;
}

constexpr int64_t kMinBytes = 1 << 20;
constexpr int64_t kMaxBytes = int64_t{1} << 50;
constexpr int64_t kMinCurveBytes = 64 << 10;
constexpr int64_t kMaxCurveBytes = 256 << 20;
constexpr int64_t kMinAge = 60;
constexpr int64_t kMaxAge = int64_t{100} * 365 * 86400;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown-host";
}

// The kubelet and crictl write it as a URL.
Status CheckCriSocket(AgentConfig& config) {
  constexpr std::string_view kUnix = "unix://";
  if (config.cri_socket.starts_with(kUnix)) {
    config.cri_socket.erase(0, kUnix.size());
  }
  if (config.no_cri && !config.cri_socket.empty()) {
    return MakeError(
        ErrorCode::kInvalid,
        "no-cri asks nobody for names, and cri-socket says whom to ask: leave one out");
  }
  if (!config.cri_socket.empty() && !config.cri_socket.starts_with('/')) {
    return MakeError(ErrorCode::kInvalid,
                     "cri-socket {} is no path of a unix socket; for instance "
                     "/run/containerd/containerd.sock",
                     config.cri_socket);
  }
  return {};
}

}  // namespace

Result<ConfigOutcome> LoadAgentConfig(AgentConfig& config, int argc, const char* const* argv) {
  OOMBOX_TRY(const ConfigOutcome outcome, LoadConfig(Table(config), argc, argv));
  OOMBOX_RETURN_IF_ERROR(
      CheckBounds("journal-max-bytes", config.journal_max_bytes, kMinBytes, kMaxBytes));
  OOMBOX_RETURN_IF_ERROR(
      CheckBounds("store-max-bytes", config.store_max_bytes, kMinBytes, kMaxBytes));
  OOMBOX_RETURN_IF_ERROR(
      CheckBounds("curve-max-bytes", config.curve_max_bytes, kMinCurveBytes, kMaxCurveBytes));
  OOMBOX_RETURN_IF_ERROR(CheckBounds("store-max-age", config.store_max_age, kMinAge, kMaxAge));
  OOMBOX_RETURN_IF_ERROR(CheckBounds("rank-budget-us", config.rank_budget_us, 0, 1'000'000));
  OOMBOX_RETURN_IF_ERROR(CheckBounds("oom-score-adj", config.oom_score_adj, -1000, 1000));
  OOMBOX_RETURN_IF_ERROR(CheckCriSocket(config));
  for (const std::string& label : config.metrics_labels) {
    if (!IsContainerLabel(label)) {
      return MakeError(ErrorCode::kInvalid,
                       "metrics-labels: there is no label {}; give some of namespace, pod, "
                       "container, owner, image, qos",
                       label);
    }
  }
  if (!config.metrics_listen.empty()) {
    OOMBOX_RETURN_IF_ERROR(CheckMetricsAddress(config.metrics_listen));
  }
  if (config.node_name.empty()) {
    config.node_name = HostName();
  }
  return outcome;
}

}  // namespace oombox
