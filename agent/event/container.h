#pragma once

#include <functional>
#include <string_view>

#include "agent/model/container.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// What a cgroup's path says; pure.
using IdentifyCgroupFn = std::function<CgroupIdentity(std::string_view path)>;

// Whose the victim's cgroup is, and whose limit fired. Names come later, if at all: a kill does not
// wait for the runtime.
void FillContainer(const IdentifyCgroupFn& identify, v1::OomEvent& oom);

}  // namespace oombox
