#include "tools/collector/config.h"

#include "agent/common/metrics_server.h"

namespace oombox {

namespace {

ConfigTable Table(CollectorConfig& c) {
  return {
      .program = "oombox-collector",
      .description = "Keeps the events of all nodes and answers for the cluster.",
      .env_prefix = "OOMBOX_COLLECTOR_",
      .default_file = "/etc/oombox/collector.toml",
      .version = OOMBOX_VERSION,
      .options =
          {
              {"state-dir", &c.state_dir, "Folder of the event store"},
              {"listen", &c.listen, "Addresses to serve on; unix:PATH works too"},
              {"metrics-listen", &c.metrics_listen,
               "Address of the Prometheus metrics, for instance 127.0.0.1:9464; empty: none. "
               "Neither TLS "
               "nor passwords: keep it on loopback, or where only Prometheus gets at it"},
              {"max-agents", &c.max_agents, "Agents that may be connected at the same time"},
              {"store-max-bytes", &c.store_max_bytes, "Bound of the event store"},
              {"store-max-age", &c.store_max_age, "Age in seconds after which events are removed"},
              {"forget-nodes-after", &c.forget_nodes_after,
               "Seconds of silence after which a node counts as removed: it leaves status and "
               "coverage, its events stay"},
              {"tls-ca", &c.tls_ca, "CA certificate that signed the clients' and agents'"},
              {"tls-cert", &c.tls_cert, "This collector's certificate"},
              {"tls-key", &c.tls_key, "Key of tls-cert"},
              {"insecure", &c.insecure, "Allow plaintext on an address that others can reach"},
              {"log-format", &c.log_format, "text or json"},
              {"log-level", &c.log_level, "debug, info, warn, error or off"},
          },
  };
}

}  // namespace

Result<ConfigOutcome> LoadCollectorConfig(CollectorConfig& config, int argc,
                                          const char* const* argv) {
  OOMBOX_TRY(const ConfigOutcome outcome, LoadConfig(Table(config), argc, argv));
  if (outcome == ConfigOutcome::kPrinted) {
    return outcome;
  }
  if (config.listen.empty()) {
    return MakeError(ErrorCode::kInvalid, "listen is empty: give at least one address");
  }
  if (!config.metrics_listen.empty()) {
    OOMBOX_RETURN_IF_ERROR(CheckMetricsAddress(config.metrics_listen));
  }
  if (config.max_agents == 0) {
    return MakeError(ErrorCode::kInvalid, "max-agents must be at least 1");
  }
  constexpr int64_t kMebibyte = 1 << 20;
  constexpr int64_t kYear = int64_t{365} * 86400;
  OOMBOX_RETURN_IF_ERROR(
      CheckBounds("store-max-bytes", config.store_max_bytes, kMebibyte, kMebibyte << 30));
  OOMBOX_RETURN_IF_ERROR(CheckBounds("store-max-age", config.store_max_age, 60, 100 * kYear));
  OOMBOX_RETURN_IF_ERROR(
      CheckBounds("forget-nodes-after", config.forget_nodes_after, 60, 100 * kYear));
  return outcome;
}

}  // namespace oombox
