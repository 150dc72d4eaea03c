#include "agent/bpf_loader/kill_probe.h"

#include <bpf/bpf.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>

#include "agent/bpf_loader/kernel_features.h"
#include "agent/bpf_loader/kill_object.h"
#include "agent/bpf_loader/mapped_value.h"
#include "agent/bpf_loader/pins.h"
#include "agent/common/clock.h"

namespace oombox {

namespace {

constexpr int kAbi = OOMBOX_PIN_ABI;
constexpr int kSetAside = kAbi + 10'000;  // no layout: the ring of incomplete pins of ours

uint64_t Load64(const __u64& counter) {
  return std::atomic_ref<__u64>(const_cast<__u64&>(counter)).load(std::memory_order_relaxed);
}

Status CheckRingSize(uint64_t bytes) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (bytes < page || (bytes & (bytes - 1)) != 0 || bytes > (1ULL << 30)) {
    return MakeError(ErrorCode::kInvalid,
                     "ring-bytes {} is no power of two from {} to {}; the default is 4194304",
                     bytes, page, 1ULL << 30);
  }
  return {};
}

uint64_t RingBytes(int ring_fd) {
  bpf_map_info info{};
  __u32 length = sizeof info;
  return bpf_obj_get_info_by_fd(ring_fd, &info, &length) == 0 ? info.max_entries : 0;
}

std::optional<uint64_t> MissesOf(int program_fd) {
  bpf_prog_info info{};
  __u32 length = sizeof info;
  if (program_fd < 0 || bpf_obj_get_info_by_fd(program_fd, &info, &length) != 0 ||
      length < offsetof(bpf_prog_info, recursion_misses) + sizeof info.recursion_misses) {
    return std::nullopt;
  }
  return info.recursion_misses;
}

std::optional<uint64_t> MissesOf(const KillPrograms& programs) {
  const auto signal = MissesOf(programs.signal.get());
  const auto mark = MissesOf(programs.mark.get());
  return signal || mark ? std::optional(signal.value_or(0) + mark.value_or(0)) : std::nullopt;
}

class LoadedKillProbe final : public KillProbe {
 public:
  static Result<std::unique_ptr<KillProbe>> Load(const Options& options);

  void Detach() override { links_ = {}; }
  int ring_fd() const override { return maps_.ring.get(); }
  uint64_t ring_bytes() const override { return ring_bytes_; }
  const AttachInfo& info() const override { return info_; }
  const std::vector<MissingFeature>& missing() const override { return missing_; }
  oombox_attachment& attachment() const override { return **attachment_; }
  const std::vector<LeftoverRing>& leftovers() const override { return leftovers_; }
  Status RemoveLeftover(const LeftoverRing& ring) const override {
    return pins_->RemoveLayout(ring.abi);
  }

  oombox_kill_counters Counters() const override {
    const oombox_kill_counters& live = **counters_;
    oombox_kill_counters copy{};
    // A kill is counted before its record is submitted: in this order no copy has more submitted.
    copy.submitted = Load64(live.submitted);
    copy.dropped_ring_full = Load64(live.dropped_ring_full);
    copy.kills = Load64(live.kills);
    copy.double_counted = Load64(live.double_counted);
    copy.already_dying = Load64(live.already_dying);
    copy.pending_full = Load64(live.pending_full);
    copy.rankings_skipped = Load64(live.rankings_skipped);
    copy.decisions_missed = Load64(live.decisions_missed);
    copy.signals_skipped = Load64(live.signals_skipped);
    copy.cmdlines_unread = Load64(live.cmdlines_unread);
    copy.run_ns = Load64(live.run_ns);
    copy.longest_run_ns = Load64(live.longest_run_ns);
    return copy;
  }

  std::optional<uint64_t> RecursionMisses() const override {
    const auto misses = MissesOf(programs_);
    return misses ? std::optional(*misses + (*attachment_)->recursion_misses_before) : std::nullopt;
  }

 private:
  explicit LoadedKillProbe(const Options& options) : options_(options) {}

  void TellHiddenSymbols(const KernelFeatures& features);
  Status OpenPins();
  Status OpenMaps();
  Status KeepRing();
  Result<bool> LinksArePinned() const;
  bool HasBegun() const;
  Status Map();
  Status LoadObject(const KernelFeatures& features, bool reuse);
  Status AttachAndPin(KillObject& object);
  Status TakePrograms(const KillObject& object);
  void BeginAttachment();
  Status PinMaps() const;
  Status PinLinks() const;
  Status TakeLeftovers();

  const Options options_;
  std::optional<PinFolder> pins_;
  AttachInfo info_;
  KillMaps maps_;
  KillLinks links_;  // not pinned: they live as long as this
  KillPrograms programs_;
  std::unique_ptr<MappedValue<oombox_kill_counters>> counters_;
  std::unique_ptr<MappedValue<oombox_attachment>> attachment_;
  uint64_t ring_bytes_ = 0;
  std::vector<UniqueFd> leftover_fds_;
  std::vector<LeftoverRing> leftovers_;
  std::vector<MissingFeature> missing_;
};

Result<std::unique_ptr<KillProbe>> LoadedKillProbe::Load(const Options& options) {
  OOMBOX_TRY(const KernelFeatures features, ReadKernelFeatures());
  OOMBOX_RETURN_IF_ERROR(CheckMayLoad());
  std::unique_ptr<LoadedKillProbe> probe(new LoadedKillProbe(options));
  if (!features.bpf_loop) {
    probe->missing_.push_back(
        {"top_users", "this kernel has no bpf_loop (Linux 5.17 or newer is needed)"});
  }
  if (!features.console) {
    probe->missing_.push_back(
        {"no_victim", "this kernel does not tell (Linux 5.19 or newer is needed)"});
  }
  if (!features.processes) {
    probe->missing_.push_back(
        {"user_cmdlines", "this kernel has no tracepoint for exec, fork or exit"});
  }
  probe->TellHiddenSymbols(features);
  OOMBOX_RETURN_IF_ERROR(probe->OpenPins());
  const bool reuse = probe->maps_.complete();
  if (reuse) {
    OOMBOX_RETURN_IF_ERROR(probe->Map());
    OOMBOX_TRY(const bool linked, probe->LinksArePinned());
    probe->info_.adopted = linked && probe->HasBegun();
  }
  const bool ours = probe->info_.adopted && probe->programs_.signal.valid() &&
                    probe->programs_.mark.valid() &&
                    (*probe->attachment_)->object_id == KillObjectId();
  if (!ours) {
    OOMBOX_RETURN_IF_ERROR(probe->LoadObject(features, reuse));
  }
  (*probe->attachment_)->rank_budget_ns = options.rank_budget_ns;
  probe->ring_bytes_ = RingBytes(probe->ring_fd());
  OOMBOX_RETURN_IF_ERROR(probe->TakeLeftovers());
  return std::unique_ptr<KillProbe>(std::move(probe));
}

void LoadedKillProbe::TellHiddenSymbols(const KernelFeatures& features) {
  const auto reason = [](const char* symbol) {
    return fmt::format(
        "the kernel does not show its symbol {} (CONFIG_KALLSYMS_ALL=y is needed, and CAP_SYSLOG "
        "or "
        "kernel.kptr_restrict=0)",
        symbol);
  };
  const auto shown = ShownSymbols({"__per_cpu_offset", "mem_cgroup_stats_index"});
  if (features.rss_per_cpu && !shown.contains("__per_cpu_offset")) {
    missing_.push_back({"exact_memory", reason("__per_cpu_offset")});
  }
  if (features.stats_are_compacted && !shown.contains("mem_cgroup_stats_index")) {
    missing_.push_back({"memory_stat", reason("mem_cgroup_stats_index")});
  }
}

// Without a bpffs the agent works all the same, and says what that costs.
Status LoadedKillProbe::OpenPins() {
  if (options_.pin_dir.empty()) {
    missing_.push_back({"pinning",
                        "switched off (pin-dir is empty): kills are recorded only while "
                        "the agent runs"});
    return {};
  }
  auto pins = PinFolder::Open(options_.pin_dir);
  if (!pins && pins.error().code == ErrorCode::kUnavailable) {
    return MakeError(ErrorCode::kExhausted, "{}", pins.error().message);
  }
  if (!pins) {
    missing_.push_back({"pinning", pins.error().message});
    return {};
  }
  pins_.emplace(std::move(*pins));
  info_.pin_path = pins_->Layout(kAbi);
  OOMBOX_RETURN_IF_ERROR(OpenMaps());
  if (!maps_.complete()) {  // a first start, or one that was killed before anything was attached
    OOMBOX_RETURN_IF_ERROR(KeepRing());
    OOMBOX_RETURN_IF_ERROR(pins_->RemoveLayout(kAbi));
    OOMBOX_RETURN_IF_ERROR(pins_->MakeLayout(kAbi));
  }
  return {};
}

// Pins of this layout that lack one of its maps: an unfinished version made them, or somebody
// removed one. What their ring holds is read all the same, whenever: it stays pinned until then.
Status LoadedKillProbe::KeepRing() {
  if (maps_.ring.valid()) {
    spdlog::warn("the pins at {} lack a map: what they recorded is read, and they are made anew",
                 info_.pin_path);
    OOMBOX_RETURN_IF_ERROR(pins_->MakeLayout(kSetAside));
    OOMBOX_TRY(const UniqueFd earlier, pins_->Get(kSetAside, "ring"));
    if (!earlier.valid()) {  // else this one is of a start that got no further
      OOMBOX_RETURN_IF_ERROR(pins_->Put(kSetAside, "ring", maps_.ring.get()));
    }
  }
  maps_ = {};
  programs_ = {};
  return {};
}

Status LoadedKillProbe::OpenMaps() {
  OOMBOX_TRY(maps_.ring, pins_->Get(kAbi, "ring"));
  OOMBOX_TRY(maps_.counters, pins_->Get(kAbi, "counters"));
  OOMBOX_TRY(maps_.attachment, pins_->Get(kAbi, "attachment"));
  OOMBOX_TRY(maps_.triggers, pins_->Get(kAbi, "triggers"));
  OOMBOX_TRY(maps_.victims, pins_->Get(kAbi, "victims"));
  OOMBOX_TRY(maps_.started, pins_->Get(kAbi, "started_as"));
  OOMBOX_TRY(programs_.signal, pins_->Get(kAbi, "prog_signal"));
  OOMBOX_TRY(programs_.mark, pins_->Get(kAbi, "prog_mark"));
  return {};
}

// Not when its agent was killed before it could say since when it records.
bool LoadedKillProbe::HasBegun() const { return (*attachment_)->attach_boottime_ns != 0; }

// They record; whose build they are is another question.
Result<bool> LoadedKillProbe::LinksArePinned() const {
  OOMBOX_TRY(const UniqueFd signal, pins_->Get(kAbi, "link_signal"));
  OOMBOX_TRY(const UniqueFd mark, pins_->Get(kAbi, "link_mark"));
  OOMBOX_TRY(const UniqueFd deliver, pins_->Get(kAbi, "link_deliver"));
  return signal.valid() && mark.valid() && deliver.valid();
}

Status LoadedKillProbe::Map() {
  OOMBOX_TRY(counters_, MappedValue<oombox_kill_counters>::Map(maps_.counters.get()));
  OOMBOX_TRY(attachment_, MappedValue<oombox_attachment>::Map(maps_.attachment.get()));
  return {};
}

Status LoadedKillProbe::LoadObject(const KernelFeatures& features, bool reuse) {
  OOMBOX_TRY(const auto object, KillObject::Load({.ring_bytes = options_.ring_bytes,
                                                  .features = features,
                                                  .reuse = reuse ? &maps_ : nullptr}));
  if (!reuse) {
    OOMBOX_TRY(maps_, object->Maps());
    OOMBOX_RETURN_IF_ERROR(Map());
    OOMBOX_RETURN_IF_ERROR(PinMaps());
  }
  info_.replaced = info_.adopted;
  (*attachment_)->rank_budget_ns = options_.rank_budget_ns;
  return AttachAndPin(*object);
}

Status LoadedKillProbe::PinMaps() const {
  if (!pins_) {
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "ring", maps_.ring.get()));
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "counters", maps_.counters.get()));
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "attachment", maps_.attachment.get()));
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "victims", maps_.victims.get()));
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "started_as", maps_.started.get()));
  return pins_->Put(kAbi, "triggers", maps_.triggers.get());
}

// Make before break: another build's programs stay attached until ours are. Killed at any point,
// the next start finds an object_id that is not its own, or 0, and does it again.
Status LoadedKillProbe::AttachAndPin(KillObject& object) {
  OOMBOX_TRY(links_, object.Attach());
  oombox_attachment& attachment = **attachment_;
  attachment.object_id = 0;
  if (!info_.adopted) {  // before the links are pinned: whoever finds those takes it for begun
    BeginAttachment();
  }
  OOMBOX_RETURN_IF_ERROR(PinLinks());
  OOMBOX_RETURN_IF_ERROR(TakePrograms(object));
  attachment.object_id = KillObjectId();
  return {};
}

Status LoadedKillProbe::PinLinks() const {
  if (!pins_) {
    return {};
  }
  const std::pair<const char*, const UniqueFd&> links[] = {
      {"link_signal", links_.signal},   {"link_mark", links_.mark},
      {"link_deliver", links_.deliver}, {"link_console", links_.console},
      {"link_exec", links_.exec},       {"link_fork", links_.fork},
      {"link_exit", links_.exit}};
  for (const auto& [name, link] : links) {
    if (link.valid()) {
      OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, name, link.get()));
    }
  }
  return {};
}

// What they replace runs no longer, and its misses are final. Killed before they are pinned, the
// next start adds those again: too many only say why a kill is missing, too few would un-say it.
Status LoadedKillProbe::TakePrograms(const KillObject& object) {
  (*attachment_)->recursion_misses_before += MissesOf(programs_).value_or(0);
  OOMBOX_TRY(programs_, object.Programs());
  if (!pins_) {
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(pins_->Put(kAbi, "prog_signal", programs_.signal.get()));
  return pins_->Put(kAbi, "prog_mark", programs_.mark.get());
}

// Nothing recorded here before, or nobody noted since when: another layout may have meanwhile, and
// been read since. The counters go on; what is compared with the kernel's begins anew. Killed in
// between it has not begun: since when is written last, and what is kept is never gone.
void LoadedKillProbe::BeginAttachment() {
  oombox_attachment& attachment = **attachment_;
  oombox_attachment fresh{};
  fresh.recursion_misses_before = attachment.recursion_misses_before;
  fresh.rank_budget_ns = attachment.rank_budget_ns;
  fresh.journal_last_id = attachment.journal_last_id;
  fresh.attach_wall_ns = static_cast<__u64>(WallNowNs());
  const std::atomic_ref<__u64> begun(attachment.attach_boottime_ns);
  begun.store(0, std::memory_order_seq_cst);
  attachment = fresh;
  begun.store(BootNowNs(), std::memory_order_seq_cst);
}

// After our own programs are attached: what the others record from now on, ours record, too.
Status LoadedKillProbe::TakeLeftovers() {
  if (!pins_) {
    return {};
  }
  for (const int abi : pins_->OtherLayouts(kAbi)) {
    OOMBOX_RETURN_IF_ERROR(pins_->DetachLayout(abi));
    OOMBOX_TRY(UniqueFd ring, pins_->Get(abi, "ring"));
    if (!ring.valid()) {
      OOMBOX_RETURN_IF_ERROR(pins_->RemoveLayout(abi));
      continue;
    }
    leftovers_.push_back({.abi = abi,
                          .fd = ring.get(),
                          .bytes = RingBytes(ring.get()),
                          .recorded_beside = abi != kSetAside});
    leftover_fds_.push_back(std::move(ring));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<KillProbe>> KillProbe::Load(const Options& options) {
  OOMBOX_RETURN_IF_ERROR(CheckRingSize(options.ring_bytes));
  return LoadedKillProbe::Load(options);
}

Status RemovePins(const std::string& pin_dir) { return PinFolder::RemoveAll(pin_dir); }

}  // namespace oombox
