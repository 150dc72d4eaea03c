#pragma once

#include "agent/common/result.h"

namespace oombox {

// Gives up every capability of this process for good (permitted, effective, inheritable, ambient,
// bounding where allowed) and sets no_new_privs. Loading BPF is the only thing that needs any; ring
// and counters are mapped memory from then on. Capabilities belong to threads: call it before the
// first one is started.
// kInternal when another thread runs already, kPermission when the kernel refuses.
Status DropCapabilities();

}  // namespace oombox
