#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"
#include "agent/model/stack_symbols.h"

namespace oombox {

// The running kernel's symbols, from /proc/kallsyms. The kernel decides at open() whether the
// reader may see addresses (kptr_restrict, CAP_SYSLOG): so it is opened before capabilities are
// dropped, and read again for each stack that is not known yet, since all symbols would cost
// megabytes. Thread-safe.
class KernelSymbols final : public StackSymbols {
 public:
  // kPermission: the kernel hides the addresses. kUnavailable: there is no such file.
  static Result<std::unique_ptr<KernelSymbols>> Open(const std::string& path = "/proc/kallsyms");

  std::optional<std::vector<std::string>> Known(std::span<const uint64_t> addresses) override;
  std::vector<std::string> LookUp(std::span<const uint64_t> addresses) override;

 private:
  explicit KernelSymbols(UniqueFd file) : file_(std::move(file)) {}

  // Stacks of OOM kills are much alike; beyond this the memory is forgotten.
  static constexpr size_t kMaxKnown = 4096;

  const UniqueFd file_;
  std::mutex mutex_;  // of known_; not held while the file is read
  std::map<uint64_t, std::string> known_;
};

}  // namespace oombox
