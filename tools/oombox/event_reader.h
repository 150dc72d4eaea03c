#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

struct SavedEvents {
  std::vector<v1::Event> events;                // one per id (the highest revision), newest first
  std::optional<v1::CoverageSummary> coverage;  // of the list that was saved, if one was
};

// Reads what `-o json` and `-o jsonl` print: events one after the other, an array of them, or an
// answer that holds them. Fields of a newer version are skipped. kCorrupt names the line;
// kExhausted a bound.
Result<SavedEvents> ReadSavedEvents(std::string_view text);

}  // namespace oombox
