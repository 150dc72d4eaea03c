#include "agent/event/request.h"

namespace oombox {

std::optional<MemoryRequest> RequestOf(std::string_view qos_class, int32_t oom_score_adj,
                                       std::optional<uint64_t> memory_limit_bytes,
                                       uint64_t node_memory_bytes) {
  // pkg/kubelet/qos/policy.go
  constexpr int32_t kGuaranteed = -997;
  constexpr int32_t kBestEffort = 1000;
  constexpr int32_t kLowestBurstable = 1000 + kGuaranteed;
  constexpr int32_t kHighestBurstable = kBestEffort - 1;
  if (qos_class == "Guaranteed" && oom_score_adj == kGuaranteed && memory_limit_bytes) {
    return MemoryRequest{.bytes = *memory_limit_bytes};
  }
  if (qos_class == "BestEffort" && oom_score_adj == kBestEffort) {
    return MemoryRequest{};
  }
  if (qos_class != "Burstable" || oom_score_adj <= kLowestBurstable ||
      oom_score_adj > kHighestBurstable || node_memory_bytes == 0) {
    return std::nullopt;
  }
  // adj = 1000 - floor(1000 * request / capacity): request is in [1000 - adj, 1001 - adj) / 1000 of
  // it, and of a container without a request and one below a thousandth both are 999.
  const uint64_t thousandth = node_memory_bytes / 1000;
  const auto share = static_cast<uint64_t>(1000 - oom_score_adj);
  if (oom_score_adj == kHighestBurstable) {
    return MemoryRequest{.bytes = thousandth, .error_bytes = thousandth};
  }
  return MemoryRequest{.bytes = share * thousandth + thousandth / 2,
                       .error_bytes = thousandth / 2 + 1000};
}

}  // namespace oombox
