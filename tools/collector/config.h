#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/common/config_table.h"
#include "agent/common/result.h"

namespace oombox {

// The settings of oombox-collector with their defaults. docs/configuration.md is generated from the
// table.
struct CollectorConfig {
  std::string state_dir = "/var/lib/oombox-collector";
  std::vector<std::string> listen = {"127.0.0.1:5137"};
  std::string metrics_listen;  // empty: no metrics
  int64_t max_agents = 2500;
  int64_t store_max_bytes = int64_t{4} << 30;
  int64_t store_max_age = int64_t{90} * 86400;
  int64_t forget_nodes_after = 86400;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  bool insecure = false;
  std::string log_format = "text";
  std::string log_level = "info";
};

// Fills `config` from file, environment and flags, in rising order of precedence.
Result<ConfigOutcome> LoadCollectorConfig(CollectorConfig& config, int argc,
                                          const char* const* argv);

}  // namespace oombox
