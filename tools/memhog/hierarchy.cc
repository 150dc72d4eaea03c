#include "tools/memhog/hierarchy.h"

#include <optional>
#include <sstream>
#include <vector>

#include "tools/memhog/files.h"

namespace oombox {
namespace {

struct Mount {
  std::string root;
  std::string point;
  std::string type;
  std::string super_options;
};

bool HasItem(const std::string& list, std::string_view wanted) {
  std::istringstream items(list);
  for (std::string item; std::getline(items, item, ',');) {
    if (item == wanted) {
      return true;
    }
  }
  return false;
}

// mountinfo writes space, tab, newline and backslash as \ooo (proc(5)).
std::string DecodeOctal(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::optional<Mount> ParseMount(const std::string& line) {
  std::istringstream words(line);
  std::string id, parent, device, root, point, word, type, source, super_options;
  words >> id >> parent >> device >> root >> point;
  while (words >> word && word != "-") {
  }
  if (!(words >> type >> source >> super_options)) {
    return std::nullopt;
  }
  return Mount{DecodeOctal(root), DecodeOctal(point), type, super_options};
}

std::optional<Mount> FindMount(std::string_view mountinfo, int version) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    auto mount = ParseMount(line);
    if (!mount) {
      continue;
    }
    if (version == 2 ? mount->type == "cgroup2"
                     : mount->type == "cgroup" && HasItem(mount->super_options, "memory")) {
      return mount;
    }
  }
  return std::nullopt;
}

struct OwnPaths {
  std::optional<std::string> v1_memory;
  std::optional<std::string> v2;
};

OwnPaths ParseProcCgroup(std::string_view text) {
  OwnPaths paths;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (line.starts_with("0::")) {
      paths.v2 = line.substr(second + 1);
    } else if (HasItem(controllers, "memory")) {
      paths.v1_memory = line.substr(second + 1);
    }
  }
  return paths;
}

}  // namespace

Result<std::string> Hierarchy::DirectoryOf(std::string_view path) const {
  std::string below(path);
  if (mount_root != "/") {
    if (path != mount_root && !path.starts_with(mount_root + "/")) {
      return MakeError(ErrorCode::kInvalid,
                       "cgroup {} is not visible: {} shows only {}; mount the memory hierarchy "
                       "from its root or give --parent below {}",
                       path, mount_point, mount_root, mount_root);
    }
    below = std::string(path.substr(mount_root.size()));
  }
  return mount_point + (below == "/" ? "" : below);
}

Result<Hierarchy> FindHierarchy(std::string_view proc_cgroup, std::string_view mountinfo) {
  const OwnPaths paths = ParseProcCgroup(proc_cgroup);
  const int version = paths.v1_memory ? 1 : 2;
  const auto& own_path = paths.v1_memory ? paths.v1_memory : paths.v2;
  const auto mount = FindMount(mountinfo, version);
  if (!own_path || !mount) {
    return MakeError(ErrorCode::kUnavailable,
                     "no memory controller: neither a cgroup v1 memory hierarchy nor cgroup2 is "
                     "mounted; mount one (mount -t cgroup2 none /sys/fs/cgroup) or boot without "
                     "cgroup_disable=memory");
  }
  return Hierarchy{version, mount->point, mount->root, *own_path};
}

Result<Hierarchy> FindOwnHierarchy() {
  OOMBOX_TRY(const std::string proc_cgroup, ReadSmallFile("/proc/self/cgroup"));
  OOMBOX_TRY(const std::string mountinfo, ReadSmallFile("/proc/self/mountinfo"));
  return FindHierarchy(proc_cgroup, mountinfo);
}

}  // namespace oombox
