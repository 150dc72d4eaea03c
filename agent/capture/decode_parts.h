#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "agent/model/kill.h"
#include "bpf/oombox_abi.h"

// What the decoders of all record versions share.
namespace oombox {

std::string Comm(const char (&comm)[OOMBOX_COMM_LEN]);
ProcessPages DecodeMemory(const oombox_memory& in);
// Absent: no limit.
std::optional<uint64_t> Limit(uint64_t pages);
// The biggest first.
void SortByWeight(std::vector<KilledProcess>& users);

// An array in a record: each element is as long as its writer thought, what it did not know is 0.
template <typename T>
Result<std::vector<T>> ReadPart(std::string_view record, const oombox_part& part,
                                size_t max_count) {
  std::vector<T> out;
  const size_t end = size_t{part.offset} + size_t{part.size} * part.count;
  if (part.count == 0) {
    return out;
  }
  if (part.count > max_count || part.size == 0 || end > record.size()) {
    return MakeError(ErrorCode::kCorrupt, "kill record: a part lies outside of the record");
  }
  for (size_t i = 0; i < part.count; ++i) {
    T& element = out.emplace_back();
    std::memset(&element, 0, sizeof element);
    std::memcpy(&element, record.data() + part.offset + i * part.size,
                std::min<size_t>(sizeof element, part.size));
  }
  return out;
}

}  // namespace oombox
