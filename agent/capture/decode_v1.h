#pragma once

#include <string_view>

#include "agent/common/result.h"
#include "agent/model/kill.h"

namespace oombox {

// A kill record of version 1 (bpf/oombox_abi_v1.h), whose header says that it is one. kCorrupt when
// its bytes contradict each other. What version 2 added is absent. Pure.
Result<KillRecord> DecodeKillV1(std::string_view bytes);

}  // namespace oombox
