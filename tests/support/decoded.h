#pragma once

#include <string_view>
#include <variant>

#include "agent/capture/decode.h"

namespace oombox::testing {

// A record that must be a kill.
inline Result<KillRecord> DecodeKill(std::string_view bytes) {
  OOMBOX_TRY(RingRecord record, DecodeRecord(bytes));
  if (auto* kill = std::get_if<KillRecord>(&record)) {
    return std::move(*kill);
  }
  return MakeError(ErrorCode::kCorrupt, "a record, but no kill");
}

}  // namespace oombox::testing
