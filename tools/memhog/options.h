#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace oombox {

// What the command line asks for.
struct Options {
  std::string scenario;  // as AddScenarios in options.cc names them
  uint64_t limit_bytes = 0;
  std::string parent;  // cgroup path; empty = own cgroup
  std::string name;    // of the new cgroup; empty = memhog-PID
  uint64_t step_bytes = 1 << 20;
  std::string comm;  // raw bytes
  std::optional<uid_t> uid;
  int oom_score_adj = 500;
  bool pid_namespace = false;
  std::optional<uint32_t> bind_node;
  bool hold = false;
  int timeout_seconds = 120;

  uint64_t neighbour_bytes = 0;      // neighbour; 0 = a quarter of the limit
  uint64_t kills = 1;                // storm
  int pause_ms = 0;                  // storm
  bool same_cgroup = false;          // storm
  size_t threads = 0;                // threads
  std::string directory;             // thrash
  int seconds = 0;                   // thrash
  std::vector<std::string> command;  // run
};

// Options, or the exit code after help or a usage error was printed.
std::variant<Options, int> ParseOptions(int argc, char** argv);

}  // namespace oombox
