#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/common/result.h"

namespace oombox {

using CollectMetrics = std::function<std::vector<prometheus::MetricFamily>()>;

// Serves /metrics in Prometheus' text format, without TLS and without passwords: loopback by
// default wording, everything else is the operator's explicit choice. Nothing else is served, no
// files. `collect` runs on the server's threads (two), once for each scrape, maybe at the same
// time; it must outlive the server. Serves from Start until destruction, which takes up to two
// seconds (the web server looks that often).
class MetricsServer {
 public:
  // `address` is "127.0.0.1:9464", "[::1]:9464" or "localhost:9464"; port 0 takes a free one.
  // kInvalid: no such address. kUnavailable: another program has it. kPermission: not allowed, or
  // not an address of this machine. Each message names the remedy.
  static Result<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                      CollectMetrics collect);
  virtual ~MetricsServer() = default;

  virtual uint16_t port() const = 0;
};

// What is wrong with an address that Start would refuse as kInvalid, for checking settings early.
Status CheckMetricsAddress(const std::string& address);

}  // namespace oombox
