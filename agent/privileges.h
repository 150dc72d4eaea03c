#pragma once

#include "agent/common/result.h"

namespace oombox {

// Gives up every capability of this process for good (permitted, effective, inheritable, ambient,
// bounding where allowed) and sets no_new_privs. Loading BPF is the only thing that needs any; ring
// and counters are mapped memory from then on. Capabilities belong to threads: call it before the
// first one is started.
// kInternal when another thread runs already, kPermission when the kernel refuses.
Status DropCapabilities();

// How likely the kernel is to choose this process when memory runs out; -1000 is never. Lowering it
// needs CAP_SYS_RESOURCE: kPermission says what it stays at. Before DropCapabilities.
Status SetOomScoreAdj(int64_t value);

}  // namespace oombox
