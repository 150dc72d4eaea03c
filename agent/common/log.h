#pragma once

#include <string>

#include "agent/common/result.h"

namespace oombox {

// Sets up spdlog's default logger on stderr for the whole process. Call once, before any thread
// starts.
//   error: an operator must act;  warn: degraded;  info: life cycle;  debug: per event.
// `format` is "text" or "json" (one object a line: ts, level, program, msg). kInvalid otherwise.
Status SetUpLog(const std::string& program, const std::string& format, const std::string& level);

}  // namespace oombox
