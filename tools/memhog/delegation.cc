#include "tools/memhog/delegation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "tools/memhog/files.h"

namespace oombox {
namespace {

Result<bool> ListsMemory(const std::string& file) {
  OOMBOX_TRY(const std::string text, ReadSmallFile(file));
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "memory") {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Delegation>> Delegation::Prepare(const Hierarchy& hierarchy,
                                                        const std::string& parent,
                                                        const std::string& leaf_name) {
  OOMBOX_TRY(const std::string directory, hierarchy.DirectoryOf(parent));
  std::unique_ptr<Delegation> delegation(new Delegation(directory, directory + "/" + leaf_name));
  if (hierarchy.version == 1) {
    return delegation;
  }
  OOMBOX_TRY(const bool available, ListsMemory(directory + "/cgroup.controllers"));
  if (!available) {
    return MakeError(ErrorCode::kUnavailable,
                     "cgroup {} has no memory controller; enable it in its parent (echo +memory > "
                     "cgroup.subtree_control) or give another --parent",
                     parent);
  }
  OOMBOX_TRY(const bool enabled, ListsMemory(directory + "/cgroup.subtree_control"));
  if (!enabled) {
    OOMBOX_RETURN_IF_ERROR(delegation->Enable());
  }
  return delegation;
}

Status Delegation::Enable() {
  const std::string control = directory_ + "/cgroup.subtree_control";
  auto status = WriteSmallFile(control, "+memory");
  if (!status && status.error().os_error == EBUSY) {
    OOMBOX_RETURN_IF_ERROR(MoveSelfToLeaf());
    status = WriteSmallFile(control, "+memory");
  }
  if (!status && status.error().os_error == EBUSY) {
    const std::string members = ReadSmallFile(directory_ + "/cgroup.procs").value_or("?");
    std::string pids = members;
    std::replace(pids.begin(), pids.end(), '\n', ' ');
    return MakeError(ErrorCode::kUnavailable,
                     "{} holds other processes (pids {}), so it can have no children with a memory "
                     "limit; give an empty --parent or run under `systemd-run --scope -p "
                     "Delegate=yes`",
                     directory_, pids);
  }
  OOMBOX_RETURN_IF_ERROR(status);
  enabled_ = true;
  return {};
}

Status Delegation::MoveSelfToLeaf() {
  const std::string members = ReadSmallFile(directory_ + "/cgroup.procs").value_or("");
  std::istringstream pids(members);
  bool inside = false;
  for (pid_t pid = 0; pids >> pid;) {
    inside = inside || pid == ::getpid();
  }
  if (!inside) {
    return {};
  }
  if (::mkdir(leaf_.c_str(), 0755) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, "mkdir " + leaf_);
  }
  moved_ = true;
  return WriteSmallFile(leaf_ + "/cgroup.procs", "0");
}

Delegation::~Delegation() {
  // Best effort: by now the kernel may refuse because someone else uses what was enabled.
  if (enabled_) {
    (void)WriteSmallFile(directory_ + "/cgroup.subtree_control", "-memory");
  }
  if (moved_) {
    (void)WriteSmallFile(directory_ + "/cgroup.procs", "0");
    ::rmdir(leaf_.c_str());
  }
}

}  // namespace oombox
