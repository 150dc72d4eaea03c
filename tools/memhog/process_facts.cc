#include "tools/memhog/process_facts.h"

#include <sstream>

#include "tools/memhog/files.h"

namespace oombox {
namespace {

// Last number of the line that starts with `key`: NSpid lists namespaces from the outermost in.
// A comm cannot forge a line: /proc/PID/status escapes newlines in Name.
template <typename Number>
bool LastNumberOf(std::string_view status, std::string_view key, Number* out) {
  std::istringstream lines{std::string(status)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) {
      std::istringstream numbers(line.substr(key.size()));
      bool any = false;
      for (Number number; numbers >> number; any = true) {
        *out = number;
      }
      return any;
    }
  }
  return false;
}

}  // namespace

Result<ProcessFacts> ParseProcessFacts(std::string_view stat, std::string_view status,
                                       std::string_view comm) {
  ProcessFacts facts;
  // The comm in field 2 may hold anything, ") R 1" included: the last ')' ends it.
  const size_t comm_end = stat.rfind(')');
  if (comm_end == std::string_view::npos) {
    return MakeError(ErrorCode::kCorrupt, "unexpected /proc/PID/stat: {}", stat);
  }
  std::istringstream head{std::string(stat.substr(0, stat.find(' ')))};
  std::istringstream tail{std::string(stat.substr(comm_end + 1))};
  std::string skipped;
  head >> facts.pid;
  tail >> skipped >> facts.parent_pid;  // fields 3 and 4
  for (int field = 5; field < 22; ++field) {
    tail >> skipped;
  }
  tail >> facts.start_ticks;
  facts.comm = comm.substr(0, comm.empty() ? 0 : comm.size() - 1);
  if (!head || !tail || !LastNumberOf(status, "Tgid:", &facts.tgid) ||
      !LastNumberOf(status, "NSpid:", &facts.namespace_pid)) {
    return MakeError(ErrorCode::kCorrupt, "unexpected /proc/PID/stat or status: {}", stat);
  }
  return facts;
}

Result<ProcessFacts> ReadProcessFacts(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  OOMBOX_TRY(const std::string stat, ReadSmallFile(directory + "/stat"));
  OOMBOX_TRY(const std::string status, ReadSmallFile(directory + "/status"));
  OOMBOX_TRY(const std::string comm, ReadSmallFile(directory + "/comm"));
  OOMBOX_TRY(const std::string adj, ReadSmallFile(directory + "/oom_score_adj"));
  OOMBOX_TRY(ProcessFacts facts, ParseProcessFacts(stat, status, comm));
  // "Uid:" lists real, effective, saved and filesystem uid; a worker changes all four together.
  LastNumberOf(status, "Uid:", &facts.uid);
  std::istringstream(adj) >> facts.oom_score_adj;
  return facts;
}

}  // namespace oombox
