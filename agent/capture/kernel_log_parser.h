#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/logged_kill.h"

namespace oombox {

// One record of /dev/kmsg: "priority,sequence,usec,flags[,...];text\n", after it lines that begin
// with a space (Documentation/ABI/testing/dev-kmsg). Everything that is not printable ASCII, and
// the backslash, is written \xNN.
struct KmsgRecord {
  bool from_kernel = false;  // not written into the log by a program
  bool continues = false;    // a piece that belongs to a record before
  uint64_t time_us = 0;
  std::string text;  // unescaped
};

// Nothing when it is no record. Pure.
std::optional<KmsgRecord> ParseKmsgRecord(std::string_view bytes);

// Puts the kills of a kernel log together, record by record, in the log's order. Names in the log
// are hostile: a line counts only as a whole, from its first byte, and only when the kernel itself
// wrote it; a path is taken only when it can be read in exactly one way. One thread; no I/O.
class KernelLogParser {
 public:
  void Feed(const KmsgRecord& record);

  // The kills, oldest first; their boottime is not set.
  std::vector<LoggedKill> Take() &&;

 private:
  // What the kernel prints before the kill.
  struct Report {
    std::optional<uint64_t> usage_bytes;
    std::optional<uint64_t> limit_bytes;
    std::string line;  // "oom-kill:constraint=..."; empty: not yet seen
  };

  void AddKill(LoggedKill kill);
  bool IsKnown(const LoggedKill& kill) const;

  Report report_;
  // When the kernel said that it kills the whole cgroup: its members come next.
  std::optional<uint64_t> group_time_us_;
  std::vector<LoggedKill> kills_;
};

}  // namespace oombox
