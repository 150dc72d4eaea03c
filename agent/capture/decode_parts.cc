#include "agent/capture/decode_parts.h"

#include <algorithm>

namespace oombox {

namespace {

// PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE; no machine has this many pages.
constexpr uint64_t kNoLimitPages = 1ULL << 46;

uint64_t Weight(const KilledProcess& process) {
  return process.memory ? process.memory->resident_and_swapped() : 0;
}

}  // namespace

std::string Comm(const char (&comm)[OOMBOX_COMM_LEN]) {
  return {comm, strnlen(comm, OOMBOX_COMM_LEN)};
}

ProcessPages DecodeMemory(const oombox_memory& in) {
  return {.anon = in.anon_pages,
          .file = in.file_pages,
          .shmem = in.shmem_pages,
          .swap = in.swap_pages,
          .page_tables_bytes = in.page_tables_bytes,
          .total_vm = in.total_vm_pages};
}

std::optional<uint64_t> Limit(uint64_t pages) {
  return pages >= kNoLimitPages ? std::nullopt : std::optional(pages);
}

void SortByWeight(std::vector<KilledProcess>& users) {
  std::stable_sort(users.begin(), users.end(),
                   [](const auto& a, const auto& b) { return Weight(a) > Weight(b); });
}

}  // namespace oombox
