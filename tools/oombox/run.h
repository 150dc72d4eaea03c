#pragma once

#include "tools/oombox/exit_code.h"

namespace oombox {

// The whole program: parses, asks, prints, and says what went wrong. Call once.
ExitCode RunOombox(int argc, const char* const* argv);

}  // namespace oombox
