#include "agent/bpf_loader/cgroup_probe.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "agent/common/unique_fd.h"
#include "bpf/oombox_abi_notice.h"

// It names types of the ABI header.
#include "bpf/cgroups.skel.h"

namespace oombox {

namespace {

struct DestroySkeleton {
  void operator()(cgroups_bpf* skeleton) const { cgroups_bpf__destroy(skeleton); }
};
struct FreeRing {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

class LoadedCgroupProbe final : public CgroupProbe {
 public:
  static Result<std::unique_ptr<CgroupProbe>> Load();
  ~LoadedCgroupProbe() override;

  void Start(Notices notices) override;

 private:
  static int TakeNotice(void* self, void* data, size_t size);
  void Run();

  std::unique_ptr<cgroups_bpf, DestroySkeleton> skeleton_;
  std::unique_ptr<ring_buffer, FreeRing> ring_;
  UniqueFd stop_event_;
  Notices notices_;
  uint64_t lost_ = 0;
  std::jthread thread_;
};

tl::unexpected<Error> Refused(int error) {
  return MakeSystemError(ErrorCode::kUnavailable, -error,
                         "the kernel refused the programs that tell of new cgroups");
}

Result<std::unique_ptr<CgroupProbe>> LoadedCgroupProbe::Load() {
  auto probe = std::make_unique<LoadedCgroupProbe>();
  probe->skeleton_.reset(cgroups_bpf__open());
  if (probe->skeleton_ == nullptr) {
    return Refused(-errno);
  }
  if (const int error = cgroups_bpf__load(probe->skeleton_.get()); error != 0) {
    return Refused(error);
  }
  if (const int error = cgroups_bpf__attach(probe->skeleton_.get()); error != 0) {
    return Refused(error);
  }
  probe->ring_.reset(ring_buffer__new(bpf_map__fd(probe->skeleton_->maps.notices), TakeNotice,
                                      probe.get(), nullptr));
  probe->stop_event_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  if (probe->ring_ == nullptr || !probe->stop_event_.valid()) {
    return Refused(-errno);
  }
  return std::unique_ptr<CgroupProbe>(std::move(probe));
}

LoadedCgroupProbe::~LoadedCgroupProbe() {
  if (thread_.joinable()) {
    eventfd_write(stop_event_.get(), 1);
    thread_.join();
  }
}

void LoadedCgroupProbe::Start(Notices notices) {
  notices_ = std::move(notices);
  thread_ = std::jthread([this] { Run(); });
}

int LoadedCgroupProbe::TakeNotice(void* self, void* data, size_t size) {
  const auto& notices = static_cast<LoadedCgroupProbe*>(self)->notices_;
  const auto* notice = static_cast<const oombox_cgroup_notice*>(data);
  if (size < sizeof *notice) {
    return 0;
  }
  const std::string path(notice->path, strnlen(notice->path, sizeof notice->path));
  (notice->appeared != 0 ? notices.appeared : notices.removed)(path);
  return 0;
}

void LoadedCgroupProbe::Run() {
  pthread_setname_np(pthread_self(), "oom-cgroups");
  std::array<pollfd, 2> fds{{{.fd = ring_buffer__epoll_fd(ring_.get()), .events = POLLIN},
                             {.fd = stop_event_.get(), .events = POLLIN}}};
  while (fds[1].revents == 0) {
    ring_buffer__consume(ring_.get());
    const uint64_t lost =
        std::atomic_ref(skeleton_->bss->notices_lost).load(std::memory_order_relaxed);
    if (lost != lost_) {
      lost_ = lost;
      notices_.lost();
    }
    poll(fds.data(), fds.size(), -1);
  }
}

}  // namespace

Result<std::unique_ptr<CgroupProbe>> CgroupProbe::Load() { return LoadedCgroupProbe::Load(); }

}  // namespace oombox
