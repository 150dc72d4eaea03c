#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oombox {

// A container's memory request, as far as its oom_score_adj tells it.
struct MemoryRequest {
  uint64_t bytes = 0;
  uint64_t error_bytes = 0;  // the real one is at most this far away, but for sidecars
};

// The kubelet gives a Burstable container 1000 - 1000 * request / capacity of the node
// (pkg/kubelet/qos/policy.go), rounded down, and bounds it: the lowest value stands for "nearly
// all", the highest for "nearly nothing". A Guaranteed container requests its limit, a BestEffort
// one nothing. Nothing when the value is none of the kubelet's for that class. Pure.
std::optional<MemoryRequest> RequestOf(std::string_view qos_class, int32_t oom_score_adj,
                                       std::optional<uint64_t> memory_limit_bytes,
                                       uint64_t node_memory_bytes);

}  // namespace oombox
