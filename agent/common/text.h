#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oombox {

// Text for people and machines from bytes that anyone may have chosen (comm, cgroup names): valid
// UTF-8 without control characters. A byte that is not part of a printable character becomes \xNN,
// a backslash \\. Applied once, where kernel bytes become an event; reversible.
std::string EscapeUntrusted(std::string_view bytes);

// True when `text` could have come from EscapeUntrusted: valid UTF-8, no C0, C1 or DEL, no
// bidirectional controls. Renderers check what reaches a terminal with it.
bool IsPrintableUtf8(std::string_view text);

// Bytes of the UTF-8 sequence at the start of `bytes` (not empty); 0 when it is not well-formed.
size_t Utf8Length(std::string_view bytes);

// `*` in `pattern` matches any run of bytes; everything else matches itself.
bool GlobMatch(std::string_view pattern, std::string_view text);

}  // namespace oombox
