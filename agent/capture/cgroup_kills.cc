#include "agent/capture/cgroup_kills.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

#include "agent/common/replace_file.h"

namespace oombox {

namespace {

constexpr std::string_view kFormat = "oombox-cgroup-kills-1";

// The files with the counter, the best first.
constexpr std::array kV2Files = {"memory.events.local", "memory.events"};
constexpr std::array kV1Files = {"memory.oom_control"};

std::optional<uint64_t> KillsOf(int dir, bool v2) {
  const auto first_of = [&](const auto& names) -> std::optional<uint64_t> {
    for (const char* name : names) {
      if (const auto text = ReadSmallFile(dir, name)) {
        return ValueOf(*text, "oom_kill");
      }
    }
    return std::nullopt;
  };
  return v2 ? first_of(kV2Files) : first_of(kV1Files);
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

CgroupKillCounts ReadCgroupKills(const MemoryHierarchy& hierarchy, size_t max_cgroups) {
  CgroupKillCounts counts;
  const CgroupWalk walk =
      WalkCgroups(hierarchy.root, max_cgroups, [&](const std::string& path, int dir) {
        const auto kills = KillsOf(dir, hierarchy.v2);
        if (kills.value_or(0) > 0) {
          counts.kills.emplace(path.empty() ? "/" : path, *kills);
        }
        // Without the controller no cgroup below has it. The root of v2 has no such file.
        return kills || path.empty();
      });
  counts.visited = walk.visited;
  counts.cut = walk.cut;
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
