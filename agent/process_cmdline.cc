#include "agent/process_cmdline.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace oombox {

namespace {

constexpr size_t kMaxBytes = 512;
constexpr ino_t kInitialPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO, include/linux/proc_ns.h
constexpr int kStartTimeField = 22;                 // proc(5), /proc/PID/stat

bool InInitialPidNamespace(const std::string& root) {
  struct stat status {};
  return stat((root + "/proc/self/ns/pid").c_str(), &status) == 0 &&
         status.st_ino == kInitialPidNamespace;
}

// In clock ticks since boot; 0 when there is no such process.
uint64_t StartTicks(const std::string& folder) {
  std::ifstream file(folder + "/stat");
  std::stringstream text;
  text << file.rdbuf();
  // The name is in brackets and may hold anything.
  const std::string line = text.str();
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string field;
  for (int i = 3; i <= kStartTimeField && fields >> field; ++i) {
  }
  return fields ? std::strtoull(field.c_str(), nullptr, 10) : 0;
}

}  // namespace

std::string ReadCmdline(uint32_t tgid, uint64_t start_boottime_ns, const std::string& root) {
  if (root.empty() && !InInitialPidNamespace(root)) {
    return {};
  }
  const std::string folder = fmt::format("{}/proc/{}", root, tgid);
  const auto ticks_per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  std::string bytes(kMaxBytes, '\0');
  std::ifstream file(folder + "/cmdline", std::ios::binary);
  file.read(bytes.data(), kMaxBytes);
  bytes.resize(static_cast<size_t>(file.gcount()));
  // Afterwards: what was read is that process's, if it still is the same.
  const uint64_t expected = start_boottime_ns / (1'000'000'000 / ticks_per_second);
  return StartTicks(folder) == expected ? bytes : std::string();
}

std::string JoinArguments(std::string bytes) {
  while (bytes.ends_with('\0')) {
    bytes.pop_back();
  }
  std::replace(bytes.begin(), bytes.end(), '\0', ' ');
  return bytes;
}

}  // namespace oombox
