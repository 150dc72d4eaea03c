#include "agent/bpf_loader/kill_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string>

#include "agent/bpf_loader/direct_reads.h"
#include "bpf/oombox_pinned.h"

// It names types of the ABI header.
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
bpf_program* ChooseMarkProgram(kill_bpf* skeleton, const KernelFeatures& features) {
  const auto& programs = skeleton->progs;
  bpf_program* chosen = programs.on_mark_victim_pid_no_walk;
  if (features.mark_victim_has_task) {
    chosen =
        features.bpf_loop ? programs.on_mark_victim_task : programs.on_mark_victim_task_no_walk;
  } else if (features.bpf_loop) {
    chosen = programs.on_mark_victim_pid;
  }
  for (bpf_program* program : {programs.on_mark_victim_task, programs.on_mark_victim_task_no_walk,
                               programs.on_mark_victim_pid, programs.on_mark_victim_pid_no_walk}) {
    bpf_program__set_autoload(program, program == chosen);
  }
  return chosen;
}

tl::unexpected<Error> LoadError(int error) {
  const int number = -error;
  if (number == EPERM) {  // EACCES is the verifier's
    return MakeSystemError(
        ErrorCode::kPermission, number,
        "the kernel refused the BPF programs (CAP_BPF and CAP_PERFMON are needed; "
        "in the initial user namespace; before Linux 5.11 also a higher memlock limit or "
        "CAP_SYS_RESOURCE)");
  }
  return MakeSystemError(
      ErrorCode::kUnavailable, number,
      "the kernel refused the BPF programs (lockdown=confidentiality and SELinux do that; "
      "--log-level debug shows the verifier's reasons)");
}

int Reuse(kill_bpf* skeleton, const KillMaps& maps) {
  const auto& own = skeleton->maps;
  int error = bpf_map__reuse_fd(own.kill_ring, maps.ring.get());
  error = error != 0 ? error : bpf_map__reuse_fd(own.bss, maps.counters.get());
  error = error != 0 ? error : bpf_map__reuse_fd(own.attachment, maps.attachment.get());
  error = error != 0 ? error : bpf_map__reuse_fd(own.triggers, maps.triggers.get());
  error = error != 0 ? error : bpf_map__reuse_fd(own.victims, maps.victims.get());
  return error != 0 ? error : bpf_map__reuse_fd(own.started_as, maps.started.get());
}

Result<UniqueFd> Duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) {
    return MakeSystemError(ErrorCode::kInternal, errno, "cannot duplicate a descriptor");
  }
  return copy;
}

struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

Result<UniqueFd> AttachProgram(bpf_program* program) {
  const std::unique_ptr<bpf_link, DestroyLink> link(bpf_program__attach(program));
  if (link == nullptr) {
    return LoadError(-errno);
  }
  return Duplicate(bpf_link__fd(link.get()));
}

Result<UniqueFd> AttachIfLoaded(bpf_program* program) {
  return bpf_program__autoload(program) ? AttachProgram(program) : UniqueFd();
}

class LoadedKillObject final : public KillObject {
 public:
  LoadedKillObject(Skeleton skeleton, bpf_program* mark)
      : skeleton_(std::move(skeleton)), mark_(mark) {}

  Result<KillMaps> Maps() const override {
    const auto& own = skeleton_->maps;
    OOMBOX_TRY(UniqueFd ring, Duplicate(bpf_map__fd(own.kill_ring)));
    OOMBOX_TRY(UniqueFd counters, Duplicate(bpf_map__fd(own.bss)));
    OOMBOX_TRY(UniqueFd attachment, Duplicate(bpf_map__fd(own.attachment)));
    OOMBOX_TRY(UniqueFd triggers, Duplicate(bpf_map__fd(own.triggers)));
    OOMBOX_TRY(UniqueFd victims, Duplicate(bpf_map__fd(own.victims)));
    OOMBOX_TRY(UniqueFd started, Duplicate(bpf_map__fd(own.started_as)));
    return KillMaps{std::move(ring),     std::move(counters), std::move(attachment),
                    std::move(triggers), std::move(victims),  std::move(started)};
  }

  Result<KillPrograms> Programs() const override {
    OOMBOX_TRY(UniqueFd signal, Duplicate(bpf_program__fd(skeleton_->progs.on_signal_generate)));
    OOMBOX_TRY(UniqueFd mark, Duplicate(bpf_program__fd(mark_)));
    return KillPrograms{std::move(signal), std::move(mark)};
  }

  Result<KillLinks> Attach() override {
    const auto& programs = skeleton_->progs;
    KillLinks links;
    OOMBOX_TRY(links.signal, AttachProgram(programs.on_signal_generate));
    OOMBOX_TRY(links.mark, AttachProgram(mark_));
    OOMBOX_TRY(links.deliver, AttachProgram(programs.on_signal_deliver));
    OOMBOX_TRY(links.console, AttachIfLoaded(programs.on_console));
    OOMBOX_TRY(links.exec, AttachIfLoaded(programs.on_exec));
    OOMBOX_TRY(links.fork, AttachIfLoaded(programs.on_fork));
    OOMBOX_TRY(links.exit, AttachIfLoaded(programs.on_exit));
    return links;
  }

 private:
  const Skeleton skeleton_;
  bpf_program* const mark_;
};

// The skeleton with the bytes of one object or the other.
Skeleton OpenSkeleton(bool direct_reads) {
  Skeleton skeleton(static_cast<kill_bpf*>(std::calloc(1, sizeof(kill_bpf))));
  if (skeleton == nullptr || kill_bpf__create_skeleton(skeleton.get()) != 0) {
    return nullptr;
  }
  if (direct_reads) {
    skeleton->skeleton->data = const_cast<void*>(DirectReadsElf(&skeleton->skeleton->data_sz));
  }
  return bpf_object__open_skeleton(skeleton->skeleton, nullptr) == 0 ? std::move(skeleton)
                                                                     : nullptr;
}

Result<std::unique_ptr<KillObject>> LoadObject(const KillObject::Options& options,
                                               bool direct_reads) {
  Skeleton skeleton = OpenSkeleton(direct_reads);
  if (skeleton == nullptr) {
    return MakeSystemError(ErrorCode::kInternal, errno, "cannot open the built-in BPF object");
  }
  bpf_program* mark = ChooseMarkProgram(skeleton.get(), options.features);
  bpf_program__set_autoload(skeleton->progs.on_console, options.features.console);
  for (bpf_program* program :
       {skeleton->progs.on_exec, skeleton->progs.on_fork, skeleton->progs.on_exit}) {
    bpf_program__set_autoload(program, options.features.processes);
  }
  skeleton->rodata->stats_are_compacted = options.features.stats_are_compacted ? 1 : 0;
  skeleton->rodata->possible_cpus = static_cast<__u32>(std::max(1, libbpf_num_possible_cpus()));
  bpf_map__set_max_entries(skeleton->maps.kill_ring, static_cast<__u32>(options.ring_bytes));
  if (options.reuse != nullptr) {
    if (const int error = Reuse(skeleton.get(), *options.reuse); error != 0) {
      return LoadError(error);
    }
  }
  if (const int error = kill_bpf__load(skeleton.get()); error != 0) {
    return LoadError(error);
  }
  return std::make_unique<LoadedKillObject>(std::move(skeleton), mark);
}

uint64_t HashOf(const void* bytes, size_t size, uint64_t hash) {  // FNV-1a
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 1099511628211ULL;
  }
  return hash;
}

}  // namespace

Result<std::unique_ptr<KillObject>> KillObject::Load(const Options& options) {
  libbpf_set_print(LogFromLibbpf);
  if (options.features.rdonly_cast) {
    auto object = LoadObject(options, true);
    if (object) {
      return object;
    }
    spdlog::info("reads kernel memory by helper calls, which take longer: {}",
                 object.error().message);
  }
  return LoadObject(options, false);
}

uint64_t KillObjectId() {
  size_t size = 0;
  const void* bytes = kill_bpf__elf_bytes(&size);
  uint64_t hash = HashOf(bytes, size, 14695981039346656037ULL);
  bytes = DirectReadsElf(&size);
  hash = HashOf(bytes, size, hash);
  return hash == 0 ? 1 : hash;
}

}  // namespace oombox
