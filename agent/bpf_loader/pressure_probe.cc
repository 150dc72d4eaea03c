#include "agent/bpf_loader/pressure_probe.h"

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <span>

#include "agent/bpf_loader/kernel_features.h"
#include "bpf/oombox_abi_pressure.h"

// It names types of the ABI header.
#include "bpf/pressure.skel.h"

namespace oombox {

namespace {

struct DestroySkeleton {
  void operator()(pressure_bpf* skeleton) const { pressure_bpf__destroy(skeleton); }
};

// The kernel's side writes at any time: every number is read in one piece.
uint64_t Load(const __u64& value) {
  return std::atomic_ref(const_cast<__u64&>(value)).load(std::memory_order_relaxed);
}

void Store(__u64& value, uint64_t to) {
  std::atomic_ref(value).store(to, std::memory_order_release);
}

class LoadedPressureProbe final : public ReclaimSource {
 public:
  static Result<std::shared_ptr<ReclaimSource>> Load();
  ~LoadedPressureProbe() override {
    if (memory_ != MAP_FAILED) {
      ::munmap(memory_, bytes_);
    }
  }

  Health health() const override;
  uint64_t Changes() const override { return oombox::Load(counters().reclaims); }
  Result<std::map<uint64_t, ReclaimCounts>> Read() const override;
  void Forget(uint64_t cgroup_id) override;
  void Arm(bool armed) override {
    std::atomic_ref(skeleton_->bss->counters.disarmed)
        .store(armed ? 0 : 1, std::memory_order_relaxed);
  }

 private:
  const oombox_reclaim_counters& counters() const { return skeleton_->bss->counters; }
  std::span<oombox_reclaim_slot> slots() const {
    return {static_cast<oombox_reclaim_slot*>(memory_), OOMBOX_RECLAIM_SLOTS};
  }

  std::unique_ptr<pressure_bpf, DestroySkeleton> skeleton_;
  bool names_target_ = false;
  size_t bytes_ = 0;
  void* memory_ = MAP_FAILED;
};

tl::unexpected<Error> Refused(int error) {
  return MakeSystemError(ErrorCode::kUnavailable, -error,
                         "the kernel refused the programs at the reclaim tracepoints");
}

Result<std::shared_ptr<ReclaimSource>> LoadedPressureProbe::Load() {
  OOMBOX_TRY(const KernelFeatures features, ReadKernelFeatures());
  auto probe = std::make_shared<LoadedPressureProbe>();
  probe->skeleton_.reset(pressure_bpf__open());
  if (probe->skeleton_ == nullptr) {
    return Refused(-errno);
  }
  probe->names_target_ = features.reclaim_names_target;
  const auto& programs = probe->skeleton_->progs;
  bpf_program__set_autoload(programs.on_memcg_reclaim_begin_target, probe->names_target_);
  bpf_program__set_autoload(programs.on_memcg_reclaim_begin_task, !probe->names_target_);
  if (const int error = pressure_bpf__load(probe->skeleton_.get()); error != 0) {
    return Refused(error);
  }
  if (const int error = pressure_bpf__attach(probe->skeleton_.get()); error != 0) {
    return Refused(error);
  }
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  probe->bytes_ = (OOMBOX_RECLAIM_SLOTS * sizeof(oombox_reclaim_slot) + page - 1) / page * page;
  probe->memory_ = ::mmap(nullptr, probe->bytes_, PROT_READ | PROT_WRITE, MAP_SHARED,
                          bpf_map__fd(probe->skeleton_->maps.slots), 0);
  if (probe->memory_ == MAP_FAILED) {
    return MakeSystemError(ErrorCode::kUnavailable, errno, "cannot map a BPF map");
  }
  return std::shared_ptr<ReclaimSource>(std::move(probe));
}

ReclaimSource::Health LoadedPressureProbe::health() const {
  return {.names_target = names_target_,
          .reclaims = oombox::Load(counters().reclaims),
          .lost = oombox::Load(counters().lost),
          .run_ns = oombox::Load(counters().run_ns),
          .disarmed = std::atomic_ref(skeleton_->bss->counters.disarmed).load() != 0};
}

Result<std::map<uint64_t, ReclaimCounts>> LoadedPressureProbe::Read() const {
  std::map<uint64_t, ReclaimCounts> counts;
  for (size_t i = 0; i < slots().size(); ++i) {
    const oombox_reclaim_slot& slot = slots()[i];
    const uint64_t id = oombox::Load(slot.cgroup_id);
    const uint64_t count = oombox::Load(slot.count);
    if (count == 0 || (id == 0 && i != kNode)) {
      continue;
    }
    // Two CPUs that saw a cgroup first may have taken a slot each: their sums are one.
    ReclaimCounts& sum = counts[id];
    sum.count += count;
    sum.stall_ns += oombox::Load(slot.stall_ns);
    sum.longest_ns = std::max(sum.longest_ns, oombox::Load(slot.longest_ns));
    sum.reclaimed_pages += oombox::Load(slot.reclaimed_pages);
    sum.usage_max_pages = std::max(sum.usage_max_pages, oombox::Load(slot.usage_max_pages));
    if (const uint64_t last = oombox::Load(slot.last_boottime_ns); last >= sum.last_boottime_ns) {
      sum.last_boottime_ns = last;
      sum.usage_pages = oombox::Load(slot.usage_pages);
    }
  }
  return counts;
}

void LoadedPressureProbe::Forget(uint64_t cgroup_id) {
  for (oombox_reclaim_slot& slot : slots().subspan(1)) {
    if (cgroup_id == 0 || oombox::Load(slot.cgroup_id) != cgroup_id) {
      continue;
    }
    Store(slot.generation, slot.generation + 1);
    Store(slot.cgroup_id, 0);
  }
}

}  // namespace

Result<std::shared_ptr<ReclaimSource>> LoadPressureProbe() { return LoadedPressureProbe::Load(); }

}  // namespace oombox
