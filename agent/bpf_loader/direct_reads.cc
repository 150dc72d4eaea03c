#include "agent/bpf_loader/direct_reads.h"

#include <bpf/libbpf.h>

#include "bpf/oombox_pinned.h"

// It names types of the ABI header.
#include "bpf/kill.skel.h"

namespace oombox {

const void* DirectReadsElf(size_t* size) { return kill_bpf__elf_bytes(size); }

}  // namespace oombox
