#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace oombox {

// Names of kernel addresses ("handle_mm_fault+0x1a3"), as many as there are addresses; empty where
// there is none. Thread-safe. Implemented by agent/symbolizer/kernel_symbols.h.
class StackSymbols {
 public:
  virtual ~StackSymbols() = default;
  // What was looked up before; absent unless all are known. Quick.
  virtual std::optional<std::vector<std::string>> Known(std::span<const uint64_t> addresses) = 0;
  // Looks them up; takes a hundred milliseconds.
  virtual std::vector<std::string> LookUp(std::span<const uint64_t> addresses) = 0;
};

}  // namespace oombox
