#include "tools/memhog/board.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>

namespace oombox {

static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");

Result<std::unique_ptr<Board>> Board::Make(size_t slots) {
  void* memory = ::mmap(nullptr, slots * sizeof(Slot), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    return MakeSystemError(ErrorCode::kExhausted, errno, "mmap of the shared board");
  }
  return std::unique_ptr<Board>(new Board(new (memory) Slot[slots](), slots));
}

Board::~Board() { ::munmap(first_, slots_ * sizeof(Slot)); }

}  // namespace oombox
