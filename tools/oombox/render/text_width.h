#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oombox {

// Text measured as a terminal shows it: wide characters take two columns, combining ones none.
// Needs UseUtf8Locale() once per process. Expects text without control characters.

// Characters are UTF-8 whatever the environment says: `kubectl exec` comes without a locale.
void UseUtf8Locale();

size_t TextWidth(std::string_view text);

// At most `columns` wide: the middle is replaced by "…", the ends say most in paths.
std::string ElideMiddle(std::string_view text, size_t columns);

// Padded with spaces to `columns`; longer text stays as it is.
std::string PadRight(std::string_view text, size_t columns);
std::string PadLeft(std::string_view text, size_t columns);

// Lines of at most `columns`, broken at spaces; a word that is too long is elided.
std::vector<std::string> WrapWords(std::string_view text, size_t columns);

}  // namespace oombox
