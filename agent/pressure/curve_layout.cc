#include "agent/pressure/curve_layout.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace oombox {

namespace {

constexpr uint64_t kUnit = 4096;

uint32_t Units(const std::optional<uint64_t>& bytes) {
  return bytes ? static_cast<uint32_t>(
                     std::min<uint64_t>((*bytes + kUnit / 2) / kUnit, kCurveAbsent - 1))
               : kCurveAbsent;
}

std::optional<uint64_t> Bytes(uint32_t units) {
  return units == kCurveAbsent ? std::nullopt : std::optional(units * kUnit);
}

}  // namespace

uint16_t EncodeShare(const std::optional<double>& percent) {
  return percent ? static_cast<uint16_t>(std::lround(std::clamp(*percent, 0.0, 100.0) * 100))
                 : kCurveAbsentShare;
}

std::optional<double> DecodeShare(uint16_t hundredths) {
  return hundredths > 10000 ? std::nullopt : std::optional(hundredths / 100.0);
}

CurveReading EncodeReading(const MemorySample& sample, uint64_t base_ns) {
  return {.ticks = static_cast<uint32_t>((sample.boottime_ns - base_ns) / kCurveTickNs),
          .usage = Units(sample.usage_bytes),
          .usage_max = Units(sample.usage_max_bytes),
          .working_set = Units(sample.working_set_bytes),
          .anon = Units(sample.anon_bytes),
          .file = Units(sample.file_bytes),
          .shmem = Units(sample.shmem_bytes),
          .kernel = Units(sample.kernel_bytes),
          .slab_reclaimable = Units(sample.slab_reclaimable_bytes),
          .sock = Units(sample.sock_bytes),
          .limit = Units(sample.limit_bytes),
          .tasks = sample.tasks.value_or(kCurveAbsent),
          .some_avg10 = EncodeShare(sample.some_avg10),
          .full_avg10 = EncodeShare(sample.full_avg10)};
}

MemorySample DecodeReading(const CurveReading& reading, uint64_t base_ns) {
  return {.boottime_ns = base_ns + reading.ticks * kCurveTickNs,
          .usage_bytes = Bytes(reading.usage),
          .limit_bytes = Bytes(reading.limit),
          .usage_max_bytes = Bytes(reading.usage_max),
          .working_set_bytes = Bytes(reading.working_set),
          .anon_bytes = Bytes(reading.anon),
          .file_bytes = Bytes(reading.file),
          .shmem_bytes = Bytes(reading.shmem),
          .kernel_bytes = Bytes(reading.kernel),
          .slab_reclaimable_bytes = Bytes(reading.slab_reclaimable),
          .sock_bytes = Bytes(reading.sock),
          .tasks = reading.tasks == kCurveAbsent ? std::nullopt : std::optional(reading.tasks),
          .some_avg10 = DecodeShare(reading.some_avg10),
          .full_avg10 = DecodeShare(reading.full_avg10)};
}

}  // namespace oombox
