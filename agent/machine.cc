#include "agent/machine.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace oombox {

namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

uint64_t MemTotalBytes(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  uint64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "MemTotal:") {
      return kibibytes * 1024;
    }
    file.ignore(64, '\n');
  }
  return 0;
}

}  // namespace

JournalSession ReadMachine(const std::string& root) {
  JournalSession session;
  session.boot_id = FirstLine(root + "/proc/sys/kernel/random/boot_id");
  session.kernel_release = FirstLine(root + "/proc/sys/kernel/osrelease");
  session.memory_total_bytes = MemTotalBytes(root + "/proc/meminfo");
  session.page_size = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
  session.possible_cpus = static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_CONF));
  return session;
}

OwnCost ReadOwnCost() {
  OwnCost cost;
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> total_pages >> resident_pages) {
    cost.resident_bytes = resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto ns = [](const timeval& t) { return t.tv_sec * 1'000'000'000L + t.tv_usec * 1000L; };
    cost.cpu_time_ns = ns(usage.ru_utime) + ns(usage.ru_stime);
  }
  return cost;
}

}  // namespace oombox
