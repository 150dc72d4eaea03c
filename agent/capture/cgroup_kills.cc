#include "agent/capture/cgroup_kills.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/common/replace_file.h"
#include "agent/common/unique_fd.h"

namespace oombox {

namespace {

constexpr std::string_view kFormat = "oombox-cgroup-kills-1";

// The files with the counter, the best first.
constexpr std::array kV2Files = {"memory.events.local", "memory.events"};
constexpr std::array kV1Files = {"memory.oom_control"};

// What fits is enough: the files have six short lines at most.
std::optional<std::string> ReadSmallFile(int dir, const char* name) {
  const UniqueFd fd(::openat(dir, name, O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t length = fd.valid() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return length < 0 ? std::nullopt
                    : std::optional(std::string(buffer.data(), static_cast<size_t>(length)));
}

// The line "oom_kill 3".
std::optional<uint64_t> OomKillsIn(std::string_view text) {
  constexpr std::string_view kKey = "oom_kill ";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with(kKey)) {
      uint64_t kills = 0;
      const auto [stop, error] =
          std::from_chars(line.data() + kKey.size(), line.data() + line.size(), kills);
      return error == std::errc() ? std::optional(kills) : std::nullopt;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

std::optional<uint64_t> KillsOf(int dir, bool v2) {
  const auto first_of = [&](const auto& names) -> std::optional<uint64_t> {
    for (const char* name : names) {
      if (const auto text = ReadSmallFile(dir, name)) {
        return OomKillsIn(*text);
      }
    }
    return std::nullopt;
  };
  return v2 ? first_of(kV2Files) : first_of(kV1Files);
}

// kernfs counts the directories below in the number of links (fs/kernfs/inode.c); most cgroups have
// none, and reading a directory costs as much as all the rest.
bool IsLeaf(int dir) {
  struct stat status {};
  return ::fstat(dir, &status) == 0 && status.st_nlink == 2;
}

// Names of the cgroups directly below.
std::vector<std::string> ChildrenOf(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(path.c_str()), ::closedir);
  if (stream == nullptr) {
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

// One word without white space: what is not plain becomes \xNN.
std::string EscapeWord(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c <= ' ' || c > '~' || c == '\\') {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> UnescapeWord(std::string_view word) {
  std::string out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '\\') {
      out += word[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = word.data() + i + 2;
    if (i + 4 > word.size() || word[i + 1] != 'x' ||
        std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) {
      return std::nullopt;
    }
    out += static_cast<char>(value);
    i += 3;
  }
  return out;
}

}  // namespace

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

CgroupKillCounts ReadCgroupKills(const MemoryHierarchy& hierarchy, size_t max_cgroups) {
  CgroupKillCounts counts;
  std::deque<std::string> open = {""};  // below the root; breadth first
  for (; !open.empty() && !counts.cut; open.pop_front()) {
    const std::string& path = open.front();
    if (counts.visited == max_cgroups) {
      counts.cut = true;
      break;
    }
    const UniqueFd dir(
        ::open((hierarchy.root + path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!dir.valid()) {
      continue;
    }
    ++counts.visited;
    const auto kills = KillsOf(dir.get(), hierarchy.v2);
    if (kills.value_or(0) > 0) {
      counts.kills.emplace(path.empty() ? "/" : path, *kills);
    }
    // Without the controller no cgroup below has it. The root of v2 has no such file.
    if ((kills || path.empty()) && !IsLeaf(dir.get())) {
      for (const std::string& name : ChildrenOf(hierarchy.root + path)) {
        if (open.size() <= max_cgroups) {  // one more than can be visited: that tells it was cut
          open.push_back(fmt::format("{}/{}", path, name));
        }
      }
    }
  }
  return counts;
}

std::vector<CgroupKills> GrownSince(const CgroupKillMap& before, const CgroupKillMap& now) {
  std::vector<CgroupKills> grown;
  for (const auto& [path, kills] : now) {
    const auto known = before.find(path);
    const uint64_t old = known == before.end() || known->second > kills ? 0 : known->second;
    if (kills > old) {
      grown.push_back({path, kills - old});
    }
  }
  std::stable_sort(grown.begin(), grown.end(),
                   [](const auto& a, const auto& b) { return a.kills > b.kills; });
  return grown;
}

Result<SavedCgroupKills> LoadCgroupKills(const std::string& path) {
  std::ifstream file(path);
  if (!file.is_open()) {
    return MakeError(ErrorCode::kNotFound, "there is no {}", path);
  }
  SavedCgroupKills saved;
  std::string format;
  size_t lines = 0;
  bool whole = static_cast<bool>(file >> format >> saved.boot_id >> lines) && format == kFormat;
  for (size_t i = 0; whole && i < lines; ++i) {
    uint64_t kills = 0;
    std::string word;
    whole = static_cast<bool>(file >> kills >> word);
    const auto cgroup = UnescapeWord(word);
    whole = whole && cgroup && saved.kills.emplace(*cgroup, kills).second;
  }
  if (!whole) {
    return MakeError(ErrorCode::kCorrupt, "{} is damaged", path);
  }
  return saved;
}

Status SaveCgroupKills(const std::string& path, const SavedCgroupKills& saved) {
  std::string text = fmt::format("{} {} {}\n", kFormat, saved.boot_id, saved.kills.size());
  for (const auto& [cgroup, kills] : saved.kills) {
    text += fmt::format("{} {}\n", kills, EscapeWord(cgroup));
  }
  return ReplaceFile(path, text);
}

}  // namespace oombox
