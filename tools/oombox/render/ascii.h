#pragma once

#include <string>
#include <string_view>

namespace oombox {

// What a terminal without UTF-8 can show of `text`: our own signs by their likeness, of the same
// width where they stand in columns; any other character is a question mark.
std::string ToAscii(std::string_view text);

}  // namespace oombox
