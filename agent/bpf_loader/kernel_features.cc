#include "agent/bpf_loader/kernel_features.h"

#include <bpf/btf.h>
#include <linux/capability.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <memory>
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

bool HasHelper(const btf* kernel, std::string_view helper) {
  const int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
  if (id < 0) {
    return false;
  }
  const btf_type* type = btf__type_by_id(kernel, id);
  const struct btf_enum* values = btf_enum(type);
  for (int i = 0; i < btf_vlen(type); ++i) {
    if (helper == btf__name_by_offset(kernel, values[i].name_off)) {
      return true;
    }
  }
  return false;
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
  return KernelFeatures{.mark_victim_has_task = arguments >= 2,
                        .bpf_loop = HasHelper(kernel.get(), "BPF_FUNC_loop")};
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
