#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/common/config_table.h"
#include "agent/common/result.h"

namespace oombox {

// The settings of oombox-agent with their defaults. docs/configuration.md is generated from the
// table.
struct AgentConfig {
  std::string state_dir = "/var/lib/oombox";
  std::string socket = "/run/oombox/agent.sock";
  std::vector<std::string> collector;  // empty: events stay on the node
  std::string cluster;
  std::string node_name;       // default: the host name
  std::string metrics_listen;  // empty: no metrics
  std::vector<std::string> metrics_labels = {"namespace", "pod", "container"};
  std::string log_format = "text";
  std::string log_level = "info";
  std::string pin_dir = "/sys/fs/bpf/oombox";  // empty: not pinned
  int64_t ring_bytes = 4 << 20;
  int64_t rank_budget_us = 20'000;  // per second
  int64_t oom_score_adj = -1000;
  std::vector<std::string> mask_pattern;
  bool no_default_masks = false;
  std::string cri_socket;  // empty: where runtimes usually have it
  bool no_cri = false;
  bool no_pressure = false;
  int64_t curve_max_bytes = 4 << 20;
  int64_t journal_max_bytes = 64 << 20;
  int64_t store_max_bytes = 256 << 20;
  int64_t store_max_age = int64_t{30} * 86400;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  bool insecure = false;
  std::string replay;
  // Commands, no settings.
  bool uninstall = false;
  bool probe = false;
};

// Fills `config` from file, environment and flags, in rising order of precedence.
Result<ConfigOutcome> LoadAgentConfig(AgentConfig& config, int argc, const char* const* argv);

}  // namespace oombox
