#pragma once

#include <functional>
#include <string_view>

#include "agent/model/container.h"
#include "agent/model/container_source.h"
#include "agent/model/runtime_container.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// What a cgroup's path says; pure.
using IdentifyCgroupFn = std::function<CgroupIdentity(std::string_view path)>;

// Whose the victim's cgroup is, and whose limit fired. Names come later, if at all: a kill does not
// wait for the runtime.
void FillContainer(const IdentifyCgroupFn& identify, v1::OomEvent& oom);
// Of a SIGKILL to a container's first process.
void FillContainer(const IdentifyCgroupFn& identify, v1::NoKillEvent& no_kill);

// Of a cgroup that is under pressure.
void FillContainer(const IdentifyCgroupFn& identify, v1::PressureEvent& pressure);

// Its container, where the runtime can be asked for one; null otherwise.
const v1::Container* ContainerOf(const v1::Event& event);

// What the runtime knows, on a machine of that much memory; true when that is news. The names are
// escaped as every foreign string.
bool AddNames(const RuntimeContainer& known, v1::Event& event);

// Says that nobody will give names: there is no runtime to be asked.
void TellNobodyIsAsked(v1::Event& event);

// The last answer: what became of the container, and what Kubernetes makes of the kill.
bool AddFate(const ContainerSource::Answer& answer, v1::Event& event);

}  // namespace oombox
