#include "agent/uplink/window.h"

namespace oombox {

Window::Window(Limits limits, uint64_t acknowledged)
    : limits_(limits), acknowledged_(acknowledged), last_sent_(acknowledged), last_(acknowledged) {}

bool Window::HasRoomFor(size_t bytes) const {
  return sent_ == 0 || (sent_ < limits_.events && bytes_ + bytes <= limits_.bytes);
}

void Window::AddSent(uint64_t seq, size_t bytes) {
  entries_.push_back({seq, bytes, false});
  last_ = last_sent_ = seq;
  bytes_ += bytes;
  ++sent_;
}

void Window::AddSkipped(uint64_t seq) {
  entries_.push_back({seq, 0, true});
  last_ = seq;
  SettleSkipped();
}

size_t Window::Acknowledge(uint64_t seq) {
  const size_t before = sent_;
  while (!entries_.empty() && entries_.front().seq <= seq) {
    PopFront();
  }
  SettleSkipped();
  return before - sent_;
}

void Window::SettleSkipped() {
  while (!entries_.empty() && entries_.front().skipped) {
    PopFront();
  }
}

void Window::PopFront() {
  const Entry& entry = entries_.front();
  acknowledged_ = entry.seq;
  if (!entry.skipped) {
    bytes_ -= entry.bytes;
    --sent_;
  }
  entries_.pop_front();
}

}  // namespace oombox
