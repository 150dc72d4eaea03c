#pragma once

#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// Bytes from text with \xNN, \n, \t and \\ in it; any other backslash is kInvalid.
Result<std::string> Unescape(std::string_view text);

// Lower-case hex of every byte.
std::string ToHex(std::string_view bytes);

}  // namespace oombox
