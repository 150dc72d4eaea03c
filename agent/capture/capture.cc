#include "agent/capture/capture.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "agent/capture/committed.h"
#include "agent/common/clock.h"

namespace oombox {

namespace {

constexpr int kRetryMs = 1000;

Status Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "epoll_ctl");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Capture>> Capture::Start(Dependencies dependencies) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  UniqueFd stop_event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !stop_event.valid()) {
    return MakeSystemError(ErrorCode::kInternal, errno, "epoll_create1 or eventfd");
  }
  OOMBOX_RETURN_IF_ERROR(Watch(epoll.get(), stop_event.get()));
  OOMBOX_RETURN_IF_ERROR(Watch(epoll.get(), dependencies.ring_fd));
  const uint64_t found_before = dependencies.duplicates;
  const uint64_t backlog_bytes = dependencies.ring->PendingBytes();
  OOMBOX_TRY(const size_t duplicates, ReleaseCommitted(*dependencies.ring, dependencies.journal));
  std::unique_ptr<Capture> capture(
      new Capture(std::move(dependencies), std::move(epoll), std::move(stop_event)));
  capture->backlog_bytes_ = backlog_bytes;
  capture->duplicates_ = found_before + duplicates;
  capture->thread_ = std::jthread([raw = capture.get()] { raw->Run(); });
  return capture;
}

Capture::Capture(Dependencies dependencies, UniqueFd epoll, UniqueFd stop_event)
    : ring_(std::move(dependencies.ring)),
      journal_(dependencies.journal),
      session_id_(dependencies.session_id),
      on_committed_(std::move(dependencies.on_committed)),
      epoll_(std::move(epoll)),
      stop_event_(std::move(stop_event)),
      start_boottime_ns_(BootNowNs()) {}

Capture::~Capture() {
  stopping_.store(true);
  eventfd_write(stop_event_.get(), 1);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Capture::Run() {
  pthread_setname_np(pthread_self(), "oom-capture");
  while (!stopping_.load()) {
    const bool drained = Drain();
    if (!stopping_.load()) {
      drained ? WaitForRecords() : Pause();
    }
  }
  Drain();
}

// True when the ring is empty, false when the journal refused.
bool Capture::Drain() {
  while (true) {
    const auto& records = ring_->Peek(kMaxCaptureBatch);
    if (records.empty()) {
      ring_->Release();  // discarded records
      return true;
    }
    const auto last = Append(records);
    NoteAppend(last ? Status{} : Status(tl::unexpect, last.error()));
    if (!last) {
      return false;
    }
    NoteLatency(records);
    ring_->Release();
    on_committed_(*last);
  }
}

Result<int64_t> Capture::Append(std::span<const std::string_view> records) {
  const StageStall::Call call(stall_, BootNowNs());
  return journal_.Append(session_id_, records);
}

void Capture::NoteAppend(const Status& status) {
  if (!status && stall_.Begin(status.error().message, BootNowNs())) {
    spdlog::error("journal refuses kill records, they wait in the kernel's ring: {}",
                  status.error().message);
  } else if (status && stall_.End()) {
    spdlog::info("journal takes kill records again");
  }
}

void Capture::NoteLatency(std::span<const std::string_view> committed) {
  const uint64_t now = BootNowNs();
  for (const std::string_view record : committed) {
    if (const uint64_t made = RecordBoottimeNs(record); made >= start_boottime_ns_ && made <= now) {
      latency_.Record(now - made);
    }
  }
}

void Capture::WaitForRecords() {
  std::array<epoll_event, 2> events{};
  epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
}

// Not on the ring: what it holds would end the wait at once.
void Capture::Pause() {
  pollfd stop{.fd = stop_event_.get(), .events = POLLIN, .revents = 0};
  poll(&stop, 1, kRetryMs);
}

}  // namespace oombox
