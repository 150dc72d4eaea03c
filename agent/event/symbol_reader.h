#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/model/stack_symbols.h"

namespace oombox {

// Looks up the names of kernel stacks on a thread of its own: the kernel's symbols are megabytes of
// text, and no event must wait until they are read. Many stacks cost one reading. Thread-safe.
class SymbolReader {
 public:
  // `named` is called on the thread when StackSymbols::Known has more than before.
  SymbolReader(std::shared_ptr<StackSymbols> symbols, std::function<void()> named);
  // Waits for a look-up under way; what is asked and was not begun is dropped.
  ~SymbolReader();
  SymbolReader(const SymbolReader&) = delete;
  SymbolReader& operator=(const SymbolReader&) = delete;

  void Ask(const std::vector<uint64_t>& addresses);
  // True once after each look-up.
  bool TakeNews();

 private:
  void Run();

  const std::shared_ptr<StackSymbols> symbols_;
  const std::function<void()> named_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> asked_;
  bool news_ = false;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace oombox
