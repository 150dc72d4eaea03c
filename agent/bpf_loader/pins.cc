#include "agent/bpf_loader/pins.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>

namespace oombox {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLayoutPrefix = "abi";
constexpr std::string_view kLinkPrefix = "link_";

bool IsBpffs(fs::path path) {
  struct statfs info {};
  while (::statfs(path.c_str(), &info) != 0 && errno == ENOENT && path.has_relative_path()) {
    path = path.parent_path();
  }
  return static_cast<uint32_t>(info.f_type) == static_cast<uint32_t>(BPF_FS_MAGIC);
}

std::optional<int> LayoutOf(const std::string& name) {
  int abi = -1;
  const char* end = name.data() + name.size();
  if (!name.starts_with(kLayoutPrefix) ||
      std::from_chars(name.data() + kLayoutPrefix.size(), end, abi).ptr != end) {
    return std::nullopt;
  }
  return abi;
}

std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  // Links first, so that what is removed half-way does not record into maps that nobody finds.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.starts_with(kLinkPrefix) > b.starts_with(kLinkPrefix);
  });
  return names;
}

// A bpffs is mounted with mode 1777 by default: anybody could have made the folder before us.
Status CheckOurs(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
    return MakeError(
        ErrorCode::kPermission,
        "{} belongs to another user or is open to others: not used for pins; remove it, "
        "or choose another --pin-dir",
        path);
  }
  return {};
}

Status Unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot remove the pin " + path);
  }
  return {};
}

Status RemoveFolder(const std::string& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot remove " + path);
  }
  return {};
}

}  // namespace

Result<PinFolder> PinFolder::Open(const std::string& path) {
  if (!IsBpffs(path)) {
    return MakeError(
        ErrorCode::kNotFound,
        "{} is not in a bpffs: kills are recorded only while the agent runs; mount one "
        "(mount -t bpf bpf /sys/fs/bpf), or in a container the host's",
        path);
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return MakeSystemError(ErrorCode::kPermission, errno,
                           fmt::format("cannot make {} (its parent must exist, in a bpffs that may "
                                       "be written; or choose another --pin-dir)",
                                       path));
  }
  UniqueFd lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!lock.valid()) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot open " + path);
  }
  OOMBOX_RETURN_IF_ERROR(CheckOurs(lock.get(), path));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return MakeError(ErrorCode::kUnavailable,
                     "another oombox-agent records this node's kills (it holds {}): stop it, or "
                     "give this one its own --pin-dir",
                     path);
  }
  return PinFolder(path, std::move(lock));
}

std::string PinFolder::Layout(int abi) const {
  return fmt::format("{}/{}{}", path_, kLayoutPrefix, abi);
}

std::vector<int> PinFolder::OtherLayouts(int abi) const {
  std::vector<int> layouts;
  for (const std::string& name : Names(path_)) {
    if (const auto layout = LayoutOf(name); layout && *layout != abi) {
      layouts.push_back(*layout);
    }
  }
  return layouts;
}

Status PinFolder::MakeLayout(int abi) const {
  if (::mkdir(Layout(abi).c_str(), 0700) != 0 && errno != EEXIST) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot make " + Layout(abi));
  }
  return {};
}

Status PinFolder::DetachLayout(int abi) const {
  for (const std::string& name : Names(Layout(abi))) {
    if (name.starts_with(kLinkPrefix)) {
      OOMBOX_RETURN_IF_ERROR(Unlink(Layout(abi) + "/" + name));
    }
  }
  return {};
}

Status PinFolder::RemoveLayout(int abi) const {
  for (const std::string& name : Names(Layout(abi))) {
    OOMBOX_RETURN_IF_ERROR(Unlink(Layout(abi) + "/" + name));
  }
  return RemoveFolder(Layout(abi));
}

// Running out of memory or files must not look like a node where nothing is pinned.
Result<UniqueFd> PinFolder::Get(int abi, const std::string& name) const {
  const std::string path = Layout(abi) + "/" + name;
  UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd.valid() && errno != ENOENT) {
    return MakeSystemError(ErrorCode::kUnavailable, errno, "cannot open the pin " + path);
  }
  return fd;
}

// bpffs knows rename(2): the old object goes in the moment the new one has its name.
Status PinFolder::Put(int abi, const std::string& name, int fd) const {
  const std::string path = Layout(abi) + "/" + name;
  const std::string fresh = path + "_new";  // no '.': bpffs refuses it
  OOMBOX_RETURN_IF_ERROR(Unlink(fresh));
  if (bpf_obj_pin(fd, fresh.c_str()) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot pin " + path);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot replace the pin " + path);
  }
  return {};
}

Status PinFolder::RemoveAll(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    return {};
  }
  OOMBOX_TRY(const PinFolder folder, Open(path));
  constexpr int kNone = -1;
  for (const int abi : folder.OtherLayouts(kNone)) {
    OOMBOX_RETURN_IF_ERROR(folder.RemoveLayout(abi));
  }
  return RemoveFolder(path);
}

}  // namespace oombox
