#include "agent/bpf_loader/kill_probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>

#include "agent/bpf_loader/kernel_features.h"
#include "bpf/kill.skel.h"

namespace oombox {

namespace {

struct DestroySkeleton {
  void operator()(kill_bpf* skeleton) const { kill_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<kill_bpf, DestroySkeleton>;

// libbpf's own words go to the debug log; its warnings matter only when loading fails.
int LogFromLibbpf(libbpf_print_level /*level*/, const char* format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::max(0, std::vsnprintf(nullptr, 0, format, again))),
                   ' ');
  va_end(again);
  std::vsnprintf(text.data(), text.size() + 1, format, arguments);
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  spdlog::debug("libbpf: {}", text);
  return 0;
}

// Exactly one of the mark_victim programs fits the running kernel.
void ChoosePrograms(kill_bpf* skeleton, const KernelFeatures& features) {
  const bool task = features.mark_victim_has_task;
  const bool walk = features.bpf_loop;
  bpf_program__set_autoload(skeleton->progs.on_mark_victim_task, task && walk);
  bpf_program__set_autoload(skeleton->progs.on_mark_victim_task_no_walk, task && !walk);
  bpf_program__set_autoload(skeleton->progs.on_mark_victim_pid, !task && walk);
  bpf_program__set_autoload(skeleton->progs.on_mark_victim_pid_no_walk, !task && !walk);
}

tl::unexpected<Error> LoadError(int error) {
  const int number = -error;
  if (number == EPERM || number == EACCES) {
    return MakeSystemError(
        ErrorCode::kPermission, number,
        "the kernel refused the BPF programs (CAP_BPF and CAP_PERFMON are needed; "
        "in the initial user namespace; before Linux 5.11 also a higher memlock limit or "
        "CAP_SYS_RESOURCE)");
  }
  return MakeSystemError(ErrorCode::kUnavailable, number,
                         "the kernel refused the BPF programs (lockdown=confidentiality does that; "
                         "--log-level debug shows the verifier's reasons)");
}

uint64_t Load64(const __u64& counter) {
  return std::atomic_ref<__u64>(const_cast<__u64&>(counter)).load(std::memory_order_relaxed);
}

class LoadedKillProbe final : public KillProbe {
 public:
  LoadedKillProbe(Skeleton skeleton, std::vector<MissingFeature> missing, uint64_t ring_bytes)
      : skeleton_(std::move(skeleton)), missing_(std::move(missing)), ring_bytes_(ring_bytes) {}

  void Detach() override { kill_bpf__detach(skeleton_.get()); }
  int ring_fd() const override { return bpf_map__fd(skeleton_->maps.kill_ring); }
  uint64_t ring_bytes() const override { return ring_bytes_; }
  const std::vector<MissingFeature>& missing() const override { return missing_; }

  oombox_kill_counters Counters() const override {
    const auto& live = skeleton_->bss->counters;
    oombox_kill_counters copy{};
    copy.kills = Load64(live.kills);
    copy.submitted = Load64(live.submitted);
    copy.dropped_ring_full = Load64(live.dropped_ring_full);
    copy.double_counted = Load64(live.double_counted);
    copy.already_dying = Load64(live.already_dying);
    copy.pending_full = Load64(live.pending_full);
    return copy;
  }

  std::optional<uint64_t> RecursionMisses() const override {
    return Sum([](const bpf_prog_info& info) { return info.recursion_misses; });
  }

  std::optional<uint64_t> RunTimeNs() const override {
    const auto run_time = Sum([](const bpf_prog_info& info) { return info.run_time_ns; });
    // Zero after kills means that the kernel does not measure.
    return run_time == 0 ? std::nullopt : run_time;
  }

 private:
  template <typename Field>
  std::optional<uint64_t> Sum(Field field) const {
    uint64_t sum = 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      const int fd = bpf_program__fd(program);
      if (fd < 0) {
        continue;
      }
      bpf_prog_info info{};
      __u32 length = sizeof info;
      if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) {
        return std::nullopt;
      }
      sum += field(info);
    }
    return sum;
  }

  Skeleton skeleton_;
  std::vector<MissingFeature> missing_;
  uint64_t ring_bytes_;
};

Status CheckRingSize(uint64_t bytes) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (bytes < page || (bytes & (bytes - 1)) != 0 || bytes > (1ULL << 30)) {
    return MakeError(ErrorCode::kInvalid,
                     "ring-bytes {} is no power of two from {} to {}; the default is 4194304",
                     bytes, page, 1ULL << 30);
  }
  return {};
}

// The signal first: a mark without its signal would be taken for no kill.
int Attach(kill_bpf* skeleton) {
  skeleton->links.on_signal_generate = bpf_program__attach(skeleton->progs.on_signal_generate);
  return skeleton->links.on_signal_generate == nullptr ? -errno : kill_bpf__attach(skeleton);
}

}  // namespace

Result<std::unique_ptr<KillProbe>> KillProbe::Load(const Options& options) {
  OOMBOX_RETURN_IF_ERROR(CheckRingSize(options.ring_bytes));
  libbpf_set_print(LogFromLibbpf);
  OOMBOX_TRY(const KernelFeatures features, ReadKernelFeatures());
  OOMBOX_RETURN_IF_ERROR(CheckMayLoad());

  Skeleton skeleton(kill_bpf__open());
  if (skeleton == nullptr) {
    return MakeSystemError(ErrorCode::kInternal, errno, "cannot open the built-in BPF object");
  }
  ChoosePrograms(skeleton.get(), features);
  bpf_map__set_max_entries(skeleton->maps.kill_ring, static_cast<__u32>(options.ring_bytes));
  if (const int error = kill_bpf__load(skeleton.get()); error != 0) {
    return LoadError(error);
  }
  if (const int error = Attach(skeleton.get()); error != 0) {
    return LoadError(error);
  }
  std::vector<MissingFeature> missing;
  if (!features.bpf_loop) {
    missing.push_back({"top_users", "this kernel has no bpf_loop (Linux 5.17 or newer is needed)"});
  }
  return std::make_unique<LoadedKillProbe>(std::move(skeleton), std::move(missing),
                                           options.ring_bytes);
}

}  // namespace oombox
