#include "agent/capture/ring_reader.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace oombox {

namespace {

uint64_t Load(const uint64_t* position) {
  return std::atomic_ref<uint64_t>(*const_cast<uint64_t*>(position))
      .load(std::memory_order_acquire);
}

constexpr uint64_t RoundUp8(uint64_t n) { return (n + 7) & ~7ULL; }

}  // namespace

// The mapping is the kernel's (kernel/bpf/ringbuf.c): page 0 the consumer position, writable; page
// 1 the producer position; then the data pages twice in a row, so that no record wraps.
Result<std::unique_ptr<RingReader>> RingReader::Map(int ring_fd, uint64_t ring_bytes,
                                                    const Redactor* redactor) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  void* consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
  if (consumer == MAP_FAILED) {
    return MakeSystemError(ErrorCode::kInternal, errno, "cannot map the ring's consumer page");
  }
  void* producer = mmap(nullptr, page + 2 * ring_bytes, PROT_READ, MAP_SHARED, ring_fd,
                        static_cast<off_t>(page));
  if (producer == MAP_FAILED) {
    const int error = errno;
    munmap(consumer, page);
    return MakeSystemError(ErrorCode::kInternal, error, "cannot map the ring's data pages");
  }
  return std::unique_ptr<RingReader>(
      new RingReader(consumer, producer, ring_bytes, page, redactor));
}

RingReader::RingReader(void* consumer, void* producer, uint64_t ring_bytes, uint64_t page_size,
                       const Redactor* redactor)
    : consumer_position_(static_cast<uint64_t*>(consumer)),
      producer_position_(static_cast<const uint64_t*>(producer)),
      data_(static_cast<const char*>(producer) + page_size),
      ring_bytes_(ring_bytes),
      page_size_(page_size),
      peeked_position_(Load(consumer_position_)),
      redactor_(redactor) {}

RingReader::~RingReader() {
  munmap(consumer_position_, page_size_);
  munmap(const_cast<uint64_t*>(producer_position_), page_size_ + 2 * ring_bytes_);
}

const std::vector<std::string_view>& RingReader::Peek(size_t max_records) {
  records_.clear();
  redacted_.clear();
  uint64_t position = Load(consumer_position_);
  const uint64_t produced = Load(producer_position_);
  while (position < produced && records_.size() < max_records) {
    const char* header = data_ + (position & (ring_bytes_ - 1));
    const uint32_t length =
        std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(const_cast<char*>(header)))
            .load(std::memory_order_acquire);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) {
      break;  // reserved, not committed yet; the kernel wakes us when it is
    }
    const uint32_t size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if ((length & BPF_RINGBUF_DISCARD_BIT) == 0) {
      Show({header + BPF_RINGBUF_HDR_SZ, size});
    }
    position += RoundUp8(size + BPF_RINGBUF_HDR_SZ);
  }
  peeked_position_ = position;
  return records_;
}

void RingReader::Show(std::string_view record) {
  std::string redacted;
  if (redactor_ != nullptr && RedactRecord(record, *redactor_, redacted)) {
    record = redacted_.emplace_back(std::move(redacted));
  }
  records_.push_back(record);
}

void RingReader::Release() {
  std::atomic_ref<uint64_t>(*consumer_position_).store(peeked_position_, std::memory_order_release);
  records_.clear();
}

uint64_t RingReader::PendingBytes() const {
  const uint64_t consumed = Load(consumer_position_);
  return Load(producer_position_) - consumed;
}

}  // namespace oombox
