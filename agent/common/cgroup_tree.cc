#include "agent/common/cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <deque>
#include <memory>
#include <vector>

#include "agent/common/unique_fd.h"

namespace oombox {

namespace {

// kernfs counts the directories below in the number of links (fs/kernfs/inode.c); most cgroups have
// none, and reading a directory costs as much as all the rest.
bool IsLeaf(int dir) {
  struct stat status {};
  return ::fstat(dir, &status) == 0 && status.st_nlink == 2;
}

// Names of the cgroups directly below.
std::vector<std::string> ChildrenOf(const std::string& path, bool& cut) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(path.c_str()), ::closedir);
  if (stream == nullptr) {
    cut = cut || LacksMeans(errno);
    return names;
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  return names;
}

bool HasMemoryController(const std::string& root) {
  const UniqueFd dir(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto controllers = ReadSmallFile(dir.get(), "cgroup.controllers");
  return controllers &&
         fmt::format(" {} ", std::string_view(*controllers).substr(0, controllers->find('\n')))
                 .find(" memory ") != std::string::npos;
}

}  // namespace

bool LacksMeans(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR;
}

Result<MemoryHierarchy> FindMemoryHierarchy(const std::string& mount) {
  if (HasMemoryController(mount)) {
    return MemoryHierarchy{.root = mount, .v2 = true};
  }
  if (::access((mount + "/memory/memory.oom_control").c_str(), F_OK) == 0) {
    return MemoryHierarchy{.root = mount + "/memory", .v2 = false};
  }
  if (HasMemoryController(mount + "/unified")) {
    return MemoryHierarchy{.root = mount + "/unified", .v2 = true};
  }
  return MakeError(ErrorCode::kNotFound, "no cgroup hierarchy at {} has the memory controller",
                   mount);
}

std::optional<std::string> ReadSmallFile(int dir, const char* name) {
  const UniqueFd fd(::openat(dir, name, O_RDONLY | O_CLOEXEC));
  std::array<char, 16384> buffer;  // not cleared: it is read often
  const ssize_t length = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return length < 0 ? std::nullopt
                    : std::optional(std::string(buffer.data(), static_cast<size_t>(length)));
}

std::optional<uint64_t> ValueOf(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      uint64_t value = 0;
      const auto [stop, error] =
          std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
      return error == std::errc() ? std::optional(value) : std::nullopt;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

CgroupWalk WalkCgroups(const std::string& root, size_t max_cgroups,
                       const std::function<bool(const std::string& path, int dir)>& visit) {
  CgroupWalk walk;
  std::deque<std::string> open = {""};  // breadth first
  for (; !open.empty(); open.pop_front()) {
    const std::string& path = open.front();
    if (walk.visited == max_cgroups) {
      walk.cut = true;
      break;
    }
    const UniqueFd dir(
        ::open((root + path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir.valid()) {
      walk.cut = walk.cut || LacksMeans(errno);
      continue;
    }
    ++walk.visited;
    if (visit(path, dir.get()) && !IsLeaf(dir.get())) {
      for (const std::string& name : ChildrenOf(root + path, walk.cut)) {
        if (open.size() <= max_cgroups) {  // one more than can be visited: that tells it was cut
          open.push_back(fmt::format("{}/{}", path, name));
        }
      }
    }
  }
  return walk;
}

}  // namespace oombox
