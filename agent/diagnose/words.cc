#include "agent/diagnose/words.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace oombox {

namespace {

struct Unit {
  const char* name;
  double bytes;
};

// The unit in which `bytes` reads best: a limit of 2048 MiB is better known as that than as 2 GiB,
// ten times as much is not.
Unit UnitFor(uint64_t bytes) {
  constexpr uint64_t kKib = 1024;
  constexpr uint64_t kMib = kKib * 1024;
  constexpr uint64_t kGib = kMib * 1024;
  if (bytes >= 10 * kGib) {
    return {"GiB", static_cast<double>(kGib)};
  }
  if (bytes >= kMib) {
    return {"MiB", static_cast<double>(kMib)};
  }
  if (bytes >= kKib) {
    return {"KiB", static_cast<double>(kKib)};
  }
  return {"bytes", 1};
}

// One decimal below 10, none when it would be a zero.
std::string Number(double value) {
  const double tenths = std::round(value * 10) / 10;
  const bool whole = value >= 10 || tenths == std::floor(tenths);
  return whole ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", tenths);
}

}  // namespace

std::string ByteWords(uint64_t bytes) {
  const Unit unit = UnitFor(bytes);
  return fmt::format("{} {}", Number(static_cast<double>(bytes) / unit.bytes), unit.name);
}

std::string ShareWords(uint64_t part, uint64_t whole) {
  const Unit unit = UnitFor(whole);
  const double share =
      whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return fmt::format("{} of {} {} ({:.0f} %)", Number(static_cast<double>(part) / unit.bytes),
                     Number(static_cast<double>(whole) / unit.bytes), unit.name, share);
}

std::string ProcessWords(const std::string& comm, uint32_t namespace_pid, uint32_t tgid) {
  const uint32_t pid = namespace_pid != 0 ? namespace_pid : tgid;
  return comm.empty() ? fmt::format("process {}", pid) : fmt::format("{}[{}]", comm, pid);
}

std::string SourceWords(v1::Provenance provenance) {
  switch (provenance) {
    case v1::PROVENANCE_AT_KILL:
      return "at kill";
    case v1::PROVENANCE_AFTER_KILL:
      return "after kill";
    case v1::PROVENANCE_RUNTIME:
      return "container runtime";
    case v1::PROVENANCE_RECONSTRUCTED:
      return "kernel log";
    case v1::PROVENANCE_INFERRED:
      return "inferred";
    default:
      return "source unknown";
  }
}

std::optional<uint64_t> ResidentBytes(const v1::ProcessMemory& memory) {
  if (!memory.has_anon_bytes() && !memory.has_file_bytes() && !memory.has_shmem_bytes()) {
    return std::nullopt;
  }
  return memory.anon_bytes() + memory.file_bytes() + memory.shmem_bytes();
}

void AddEvidence(v1::Evidence::Weight weight, std::string statement, std::string source,
                 v1::Diagnosis* diagnosis) {
  v1::Evidence* evidence = diagnosis->add_evidence();
  evidence->set_weight(weight);
  evidence->set_statement(std::move(statement));
  evidence->set_source(std::move(source));
}

}  // namespace oombox
