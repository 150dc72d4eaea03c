#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "agent/common/result.h"

namespace oombox {

// The single value of a BPF array map with BPF_F_MMAPABLE, as memory: read and written without a
// system call, and so without any capability.
template <typename T>
class MappedValue {
 public:
  static Result<std::unique_ptr<MappedValue>> Map(int map_fd) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    static_assert(sizeof(T) <= 4096);
    void* memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (memory == MAP_FAILED) {
      return MakeSystemError(ErrorCode::kInternal, errno, "cannot map a BPF map");
    }
    return std::unique_ptr<MappedValue>(new MappedValue(memory, page));
  }
  ~MappedValue() { munmap(memory_, bytes_); }
  MappedValue(const MappedValue&) = delete;
  MappedValue& operator=(const MappedValue&) = delete;

  T& operator*() const { return *static_cast<T*>(memory_); }
  T* operator->() const { return static_cast<T*>(memory_); }

 private:
  MappedValue(void* memory, size_t bytes) : memory_(memory), bytes_(bytes) {}

  void* memory_;
  size_t bytes_;
};

}  // namespace oombox
