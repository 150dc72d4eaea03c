#include "agent/bpf_loader/kernel_features.h"

#include <bpf/btf.h>
#include <linux/capability.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

namespace oombox {

namespace {

struct FreeBtf {
  void operator()(btf* b) const { btf__free(b); }
};

// CONFIG_DEBUG_INFO_BTF keeps the prototype of tracepoint X as `typedef void (*btf_trace_X)(void *,
// ...)`.
Result<uint32_t> TracepointArguments(const btf* kernel, const char* tracepoint) {
  const std::string name = fmt::format("btf_trace_{}", tracepoint);
  const int id = btf__find_by_name_kind(kernel, name.c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) {
    return MakeError(
        ErrorCode::kUnavailable,
        "the kernel has no tracepoint {}: Linux 5.10 or newer with CONFIG_FTRACE is needed",
        tracepoint);
  }
  const btf_type* pointer = btf__type_by_id(kernel, btf__type_by_id(kernel, id)->type);
  const btf_type* prototype = pointer == nullptr ? nullptr : btf__type_by_id(kernel, pointer->type);
  if (prototype == nullptr || !btf_is_func_proto(prototype)) {
    return MakeError(ErrorCode::kUnavailable, "the kernel's BTF has no prototype for {}",
                     tracepoint);
  }
  return static_cast<uint32_t>(btf_vlen(prototype)) - 1;  // without the leading void *
}

std::optional<int64_t> EnumValue(const btf* kernel, const char* type_name, std::string_view name) {
  const int id = btf__find_by_name_kind(kernel, type_name, BTF_KIND_ENUM);
  const btf_type* type = id < 0 ? nullptr : btf__type_by_id(kernel, id);
  for (int i = 0; type != nullptr && i < btf_vlen(type); ++i) {
    if (name == btf__name_by_offset(kernel, btf_enum(type)[i].name_off)) {
      return btf_enum(type)[i].val;
    }
  }
  return std::nullopt;
}

// Length of the array `member` of a struct, also in a nameless struct within it.
std::optional<uint32_t> ArrayLengthIn(const btf* kernel, const btf_type* type,
                                      std::string_view member) {
  for (int i = 0; type != nullptr && i < btf_vlen(type); ++i) {
    const struct btf_member& at = btf_members(type)[i];
    const btf_type* of = btf__type_by_id(kernel, at.type);
    const std::string_view name = btf__name_by_offset(kernel, at.name_off);
    if (name == member && btf_is_array(of)) {
      return btf_array(of)->nelems;
    }
    if (name.empty() && btf_is_composite(of)) {
      if (const auto length = ArrayLengthIn(kernel, of, member)) {
        return length;
      }
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> ArrayLength(const btf* kernel, const char* type_name,
                                    std::string_view member) {
  const int id = btf__find_by_name_kind(kernel, type_name, BTF_KIND_STRUCT);
  return id < 0 ? std::nullopt : ArrayLengthIn(kernel, btf__type_by_id(kernel, id), member);
}

// Then memcg_vmstats.state has no place for the items that only nodes have.
bool StatsAreCompacted(const btf* kernel) {
  const auto places = ArrayLength(kernel, "memcg_vmstats", "state");
  const auto items = EnumValue(kernel, "memcg_stat_item", "MEMCG_NR_STAT");
  return places && items && *places < *items;
}

// Since Linux 5.19 (printk_sprint); before, when the line reaches a console. By version, because
// BTF tells nothing of a tracepoint's place.
bool ConsoleFiresWherePrinted() {
  utsname machine{};
  int major = 0;
  int minor = 0;
  return uname(&machine) == 0 && std::sscanf(machine.release, "%d.%d", &major, &minor) == 2 &&
         (major > 5 || (major == 5 && minor >= 19));
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t EffectiveCapabilities(const std::string& status) {
  const size_t at = status.find("CapEff:");
  return at == std::string::npos ? 0 : std::strtoull(status.c_str() + at + 7, nullptr, 16);
}

}  // namespace

Result<KernelFeatures> ReadKernelFeatures(const std::string& btf_path) {
  const std::unique_ptr<btf, FreeBtf> kernel(btf__parse(btf_path.c_str(), nullptr));
  if (kernel == nullptr) {
    return MakeSystemError(
        ErrorCode::kUnavailable, errno,
        fmt::format("cannot read the kernel's type information {} (a kernel with "
                    "CONFIG_DEBUG_INFO_BTF=y is needed, and /sys mounted)",
                    btf_path));
  }
  OOMBOX_TRY(const uint32_t arguments, TracepointArguments(kernel.get(), "mark_victim"));
  return KernelFeatures{
      .mark_victim_has_task = arguments >= 2,
      .bpf_loop = EnumValue(kernel.get(), "bpf_func_id", "BPF_FUNC_loop").has_value(),
      .console =
          ConsoleFiresWherePrinted() && TracepointArguments(kernel.get(), "console").has_value(),
      .processes = TracepointArguments(kernel.get(), "sched_process_exec").has_value() &&
                   TracepointArguments(kernel.get(), "sched_process_fork").has_value() &&
                   TracepointArguments(kernel.get(), "sched_process_exit").has_value(),
      .rss_per_cpu = ArrayLength(kernel.get(), "mm_struct", "rss_stat").has_value(),
      .rdonly_cast = btf__find_by_name_kind(kernel.get(), "bpf_rdonly_cast", BTF_KIND_FUNC) > 0,
      .reclaim_names_target =
          TracepointArguments(kernel.get(), "mm_vmscan_memcg_reclaim_begin").value_or(0) >= 3,
      .stats_are_compacted = StatsAreCompacted(kernel.get())};
}

std::set<std::string> ShownSymbols(const std::set<std::string>& wanted, const std::string& path) {
  std::set<std::string> shown;
  std::ifstream file(path);
  std::string address;
  std::string kind;
  std::string name;
  std::string rest;
  while (shown.size() < wanted.size() && file >> address >> kind >> name) {
    std::getline(file, rest);
    if (wanted.contains(name) && address.find_first_not_of('0') != std::string::npos) {
      shown.insert(name);
    }
  }
  return shown;
}

Status CheckMayLoad(const std::string& proc_status, const std::string& lockdown) {
  if (ReadFile(lockdown).find("[confidentiality]") != std::string::npos) {
    return MakeError(
        ErrorCode::kUnavailable,
        "the kernel is locked down to confidentiality, which forbids BPF to read kernel "
        "memory; boot with lockdown=integrity or none");
  }
  const uint64_t caps = EffectiveCapabilities(ReadFile(proc_status));
  const auto has = [caps](int capability) { return ((caps >> capability) & 1U) != 0; };
  if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON))) {
    return {};
  }
  return MakeError(
      ErrorCode::kPermission,
      "missing {}{}{}: loading BPF programs needs CAP_BPF and CAP_PERFMON; run as root or "
      "add them to the container's securityContext",
      has(CAP_BPF) ? "" : "CAP_BPF", has(CAP_BPF) || has(CAP_PERFMON) ? "" : " and ",
      has(CAP_PERFMON) ? "" : "CAP_PERFMON");
}

}  // namespace oombox
