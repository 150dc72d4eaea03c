#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// Small kernel files (cgroupfs, /proc): read whole, written with one write(). The error names the
// file and carries errno.
Result<std::string> ReadSmallFile(const std::string& path);
Status WriteSmallFile(const std::string& path, std::string_view text);

// First line of a file as a number; "max" is UINT64_MAX.
Result<uint64_t> ReadNumber(const std::string& path);

// Files of `key value` lines: memory.events, memory.oom_control.
std::map<std::string, uint64_t> ParseKeyedNumbers(std::string_view text);

}  // namespace oombox
