#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/capture/redact.h"
#include "agent/common/result.h"

namespace oombox {

// Reads a BPF ring buffer without letting go of what it read: Peek shows records, Release gives
// their room back to the kernel. Between the two the caller puts them on disk. (libbpf's
// ring_buffer releases each record when its callback returns, whatever it returns.) One thread
// only. The views of Peek are valid until Release.
class RingReader {
 public:
  // Maps the ring; needs no capability. `ring_fd` must stay open while epoll waits on it. With a
  // `redactor`, which must outlive the reader, no record is shown but through it.
  static Result<std::unique_ptr<RingReader>> Map(int ring_fd, uint64_t ring_bytes,
                                                 const Redactor* redactor = nullptr);
  ~RingReader();
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  // Complete records from the consumer position on, at most `max_records`, in the kernel's order.
  const std::vector<std::string_view>& Peek(size_t max_records);

  // Gives back all that the last Peek showed.
  void Release();

  // Bytes between producer and consumer. Any thread.
  uint64_t PendingBytes() const;

 private:
  RingReader(void* consumer, void* producer, uint64_t ring_bytes, uint64_t page_size,
             const Redactor* redactor);

  void Show(std::string_view record);

  uint64_t* consumer_position_;
  const uint64_t* producer_position_;
  const char* data_;
  uint64_t ring_bytes_;
  uint64_t page_size_;
  uint64_t peeked_position_ = 0;
  std::vector<std::string_view> records_;
  const Redactor* redactor_;
  std::deque<std::string> redacted_;  // what some of records_ are views of
};

}  // namespace oombox
