#pragma once

#include <string>

#include "agent/common/result.h"

namespace oombox {

// A replay works on a copy: a recording is never changed. kInvalid: the state folder is in use, or
// the recording cannot be read.
Status CopyRecording(const std::string& recording, const std::string& journal_path);

}  // namespace oombox
