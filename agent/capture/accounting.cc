#include "agent/capture/accounting.h"

#include <algorithm>
#include <fstream>
#include <thread>
#include <utility>

#include "agent/common/clock.h"

namespace oombox {

std::optional<uint64_t> ReadKernelKills(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "oom_kill") {
      return value;
    }
  }
  return std::nullopt;
}

void NoteBase(oombox_attachment& attachment, const std::function<oombox_kill_counters()>& seen,
              const std::function<std::optional<uint64_t>()>& kernel,
              std::chrono::milliseconds quiet) {
  constexpr int kTries = 50;
  if (attachment.base_state != OOMBOX_BASE_NOT_READ) {
    return;
  }
  std::optional<uint64_t> count = kernel();
  oombox_kill_counters ours = seen();
  uint64_t moment = 0;
  for (int i = 0; i < kTries; ++i) {
    std::this_thread::sleep_for(quiet);
    moment = BootNowNs();
    const auto again = kernel();
    const oombox_kill_counters ours_again = seen();
    const bool still = again == count && ours_again.kills == ours.kills &&
                       ours_again.double_counted == ours.double_counted &&
                       ours_again.dropped_ring_full == ours.dropped_ring_full;
    count = again;
    ours = ours_again;
    if (still) {
      break;
    }
  }
  attachment.base_boottime_ns = moment;
  attachment.base_kernel_kills = count.value_or(0);
  attachment.base_kills = ours.kills;
  attachment.base_double_counted = ours.double_counted;
  attachment.base_dropped_ring_full = ours.dropped_ring_full;
  attachment.base_state = count ? OOMBOX_BASE_READ : OOMBOX_BASE_UNREADABLE;
}

Accounting::Accounting(const oombox_attachment& attachment)
    : attachment_(attachment),
      last_difference_(attachment.recursion.told + attachment.unexplained.told) {}

std::optional<uint64_t> Accounting::SinceBase(std::optional<uint64_t> kernel) const {
  return kernel && attachment_.base_state == OOMBOX_BASE_READ &&
                 *kernel >= attachment_.base_kernel_kills
             ? std::optional(*kernel - attachment_.base_kernel_kills)
             : std::nullopt;
}

uint64_t Accounting::OursSinceBase(const oombox_kill_counters& seen) const {
  return seen.kills + seen.double_counted - attachment_.base_kills -
         attachment_.base_double_counted;
}

uint64_t Accounting::Difference(const Reading& reading) const {
  const auto kernel = SinceBase(reading.kernel);
  const uint64_t ours = OursSinceBase(reading.seen);
  return kernel && *kernel > ours ? *kernel - ours : 0;
}

Accounting::Reading Accounting::Read(const std::function<std::optional<uint64_t>()>& kernel,
                                     const std::function<oombox_kill_counters()>& seen,
                                     std::chrono::milliseconds quiet) const {
  constexpr int kTries = 20;
  const uint64_t told = attachment_.recursion.told + attachment_.unexplained.told;
  const auto same = [](const oombox_kill_counters& a, const oombox_kill_counters& b) {
    return a.kills == b.kills && a.double_counted == b.double_counted;
  };
  std::optional<Reading> least;
  std::optional<Reading> last;
  for (int i = 0;; ++i) {
    const oombox_kill_counters before = seen();
    const Reading reading{.kernel = kernel(), .seen = seen()};
    if (same(before, reading.seen)) {
      const bool still = last && last->kernel == reading.kernel && same(last->seen, reading.seen);
      last = reading;
      if (!least || Difference(reading) <= Difference(*least)) {
        least = reading;
      }
      if (still || Difference(*least) <= told) {
        return *least;
      }
    }
    if (i == kTries) {
      return least.value_or(reading);
    }
    std::this_thread::sleep_for(quiet);
  }
}

KillCounts Accounting::Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen,
                            uint64_t recursion_misses) {
  KillCounts counts{.kernel = SinceBase(kernel_now), .seen = seen};
  if (!counts.kernel) {
    return counts;
  }
  const uint64_t difference = Difference({.kernel = kernel_now, .seen = seen});
  const uint64_t believed = std::min(difference, last_difference_);
  last_difference_ = difference;
  // What was told as unexplained stays so, although a skipped run turns up later.
  const uint64_t unexplained_before = std::min<uint64_t>(
      std::max(attachment_.unexplained.told, attachment_.unexplained.telling), believed);
  counts.recursion = std::min(believed - unexplained_before, recursion_misses);
  counts.unexplained = believed - counts.recursion;
  return counts;
}

uint64_t Accounting::Ahead(const oombox_kill_counters& seen, std::optional<uint64_t> kernel_later) {
  const auto kernel = SinceBase(kernel_later);
  const uint64_t ours = OursSinceBase(seen);
  const uint64_t ahead = kernel && ours > *kernel ? ours - *kernel : 0;
  return std::min(ahead, std::exchange(last_ahead_, ahead));
}

}  // namespace oombox
