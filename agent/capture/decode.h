#pragma once

#include <string_view>

#include "agent/common/result.h"
#include "agent/model/ring_record.h"

namespace oombox {

// Decodes one raw record of bpf/oombox_abi.h, of this version or the one before. Pure: bytes in,
// struct out; every count, offset and size is checked, since journals and rings may hold damaged
// bytes or records of other versions. kCorrupt: damaged. kNotFound: a type or version this build
// does not know (newer agent).
Result<RingRecord> DecodeRecord(std::string_view bytes);

// Whether the record counts as a kill: all but the known types that only go with one. Of damaged
// bytes a kill is assumed.
bool IsKillRecord(std::string_view bytes);

// Whether the record becomes an event of its own: a kill that is no further victim of a group.
bool BeginsEvent(std::string_view bytes);

}  // namespace oombox
