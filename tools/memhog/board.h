#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "agent/common/result.h"

namespace oombox {

// What a worker process tells without asking for anyone's time: it survives the worker.
struct Slot {
  std::atomic<uint64_t> touched_bytes;
  std::atomic<int32_t> child_wait_status;
};

// Memory shared with every process forked later. Its pages are charged to the maker's cgroup.
class Board {
 public:
  static Result<std::unique_ptr<Board>> Make(size_t slots);
  ~Board();
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  size_t size() const { return slots_; }
  Slot& slot(size_t index) { return first_[index]; }

 private:
  Board(Slot* first, size_t slots) : first_(first), slots_(slots) {}

  Slot* const first_;
  const size_t slots_;
};

}  // namespace oombox
