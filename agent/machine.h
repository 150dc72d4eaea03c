#pragma once

#include <cstdint>
#include <string>

#include "agent/store/journal.h"

namespace oombox {

// What is true of this machine until it boots again. `root` is where /proc is, for tests.
JournalSession ReadMachine(const std::string& root = "");

// Resident bytes and CPU time of this process.
struct OwnCost {
  uint64_t resident_bytes = 0;
  int64_t cpu_time_ns = 0;
};
OwnCost ReadOwnCost();

}  // namespace oombox
