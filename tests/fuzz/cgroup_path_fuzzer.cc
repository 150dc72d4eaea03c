// Names of cgroups are anybody's: whatever the path, an id is one, and a container is somebody's.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/identity/cgroup_path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using oombox::CgroupKind;
  const auto identity = oombox::IdentifyCgroup({reinterpret_cast<const char*>(data), size});
  const auto is_id = [](const std::string& id) {
    return std::all_of(id.begin(), id.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
    });
  };
  const bool container =
      identity.kind == CgroupKind::kContainer || identity.kind == CgroupKind::kInContainer;
  const bool whole = identity.container_id.empty() || identity.container_id.size() == 64;
  const bool pod =
      identity.pod_uid.empty() || identity.pod_uid.size() == 36 || identity.pod_uid.size() == 32;
  if (!is_id(identity.container_id) || !is_id(identity.pod_uid) || !whole || !pod ||
      container == identity.container_id.empty()) {
    std::abort();
  }
  return 0;
}
