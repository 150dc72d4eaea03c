#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// "90s", "10m", "3h", "2d", "1w", "1h30m". kInvalid says what is wrong and what is right.
Result<std::chrono::nanoseconds> ParseDuration(std::string_view text);

// Wall time in nanoseconds: a duration before `now_ns`, or RFC 3339 ("2026-11-23T03:00:00Z").
Result<int64_t> ParseMoment(std::string_view text, int64_t now_ns);

// RFC 3339, UTC, as short as it can be exactly.
std::string FormatRfc3339(int64_t wall_ns);

}  // namespace oombox
