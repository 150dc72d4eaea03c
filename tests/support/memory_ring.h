#pragma once

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "agent/common/unique_fd.h"

namespace oombox::testing {

// A file in memory laid out like a BPF ring buffer (kernel/bpf/ringbuf.c): consumer page, producer
// page, data. The test plays the kernel. Data is not mapped twice: records must not wrap.
class MemoryRing {
 public:
  explicit MemoryRing(uint64_t bytes)
      : page_(static_cast<uint64_t>(sysconf(_SC_PAGESIZE))),
        bytes_(bytes),
        fd_(memfd_create("ring", MFD_CLOEXEC)) {
    const auto size = 2 * page_ + 2 * bytes;
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) == 0) {
      base_ =
          static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0));
    }
  }
  ~MemoryRing() { munmap(base_, 2 * page_ + 2 * bytes_); }
  MemoryRing(const MemoryRing&) = delete;
  MemoryRing& operator=(const MemoryRing&) = delete;

  int fd() const { return fd_.get(); }
  uint64_t bytes() const { return bytes_; }
  uint64_t consumer() const { return *reinterpret_cast<const uint64_t*>(base_); }

  // Appends a record; `flags` may be BPF_RINGBUF_BUSY_BIT or BPF_RINGBUF_DISCARD_BIT.
  void Put(std::string_view record, uint32_t flags = 0) {
    uint64_t& producer = *reinterpret_cast<uint64_t*>(base_ + page_);
    char* at = base_ + 2 * page_ + (producer & (bytes_ - 1));
    const uint32_t length = static_cast<uint32_t>(record.size()) | flags;
    std::memcpy(at, &length, sizeof length);
    std::memcpy(at + BPF_RINGBUF_HDR_SZ, record.data(), record.size());
    last_ = at;
    producer += (record.size() + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
  }

  // Commits the last record, which was put busy.
  void Commit(std::string_view record) {
    const auto length = static_cast<uint32_t>(record.size());
    std::memcpy(last_, &length, sizeof length);
  }

 private:
  uint64_t page_;
  uint64_t bytes_;
  UniqueFd fd_;
  char* base_ = nullptr;
  char* last_ = nullptr;
};

}  // namespace oombox::testing
