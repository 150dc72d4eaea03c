#pragma once

#include <string>
#include <string_view>

#include "oombox/v1/event.pb.h"

namespace oombox {

// A name for "the same workload again" from a cgroup path alone: ids that differ from run to run
// (UUIDs, container ids, long hexadecimal or decimal runs) become `*`. Used until the container's
// owner is known.
//   /kubepods/burstable/pod0f1c.../9a8b...64 -> /kubepods/burstable/pod*/*
//   /system.slice/backup.service             -> itself
std::string WorkloadOfCgroup(std::string_view path);

// The same, once there are names: "sie/deployment/ocr/worker"; of a pod that nobody made,
// "sie/pod-name/worker".
std::string WorkloadOfContainer(const v1::Container& container);

}  // namespace oombox
