#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oombox {

// The id of an event: 16 characters of Crockford's base32 in lower case, the first 80 bits of the
// SHA-256 of `name`. The same name gives the same id on every machine, for ever.
std::string EventIdFromName(std::string_view name);

// A kill: boot id + first victim's tgid + its start_boottime. Seen twice (by two programs, before
// and after a restart, in the kernel log) it is the same event.
std::string KillEventId(std::string_view boot_id, uint32_t tgid, uint64_t start_boottime_ns);

}  // namespace oombox
