#pragma once

#include <cstddef>

namespace oombox {

// The kill object compiled with OOMBOX_DIRECT_READS: see bpf/lib/read.h. Same programs, maps and
// sections as the other, so that its bytes fit into that one's skeleton. Static storage.
const void* DirectReadsElf(size_t* size);

}  // namespace oombox
