#include "agent/identity/cgroup_path.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace oombox {

namespace {

constexpr size_t kContainerIdLength = 64;
constexpr size_t kUuidLength = 36;
constexpr size_t kConfigHashLength = 32;
constexpr size_t kMaxComponents = 64;

// As the runtimes name a container's scope or directory.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kRuntimes = {{
    {"cri-containerd", "containerd"},
    {"crio", "cri-o"},
    {"docker", "docker"},
    {"libpod", "podman"},
    {"nerdctl", "containerd"},
}};

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool AllHex(std::string_view text) { return std::all_of(text.begin(), text.end(), IsHex); }

bool ConsumeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) {
    return false;
  }
  text.remove_suffix(suffix.size());
  return true;
}

// Without what is empty or "..", as a private cgroup namespace shows it.
std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty() && components.size() < kMaxComponents) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, end);
    if (!component.empty() && component != "..") {
      components.push_back(component);
    }
    path.remove_prefix(std::min(path.size(), end + 1));
  }
  return components;
}

// 8-4-4-4-12, joined by '-' or (in a slice's name) '_'.
bool IsUuid(std::string_view text) {
  if (text.size() != kUuidLength) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const bool joint = i == 8 || i == 13 || i == 18 || i == 23;
    if (joint ? text[i] != '-' && text[i] != '_' : !IsHex(text[i])) {
      return false;
    }
  }
  return true;
}

struct PodName {
  std::string_view before;  // "kubepods-burstable", "" of cgroupfs
  std::string uid;
  std::string_view behind;  // "", ".slice", ".slice:cri-containerd:<id>"
};

// [<before>-]pod<uid>[.slice][:<prefix>:<id>]
std::optional<PodName> ParsePod(std::string_view component) {
  const size_t colon = component.find(':');
  const std::string_view name = component.substr(0, colon);
  std::string_view stem = name;
  ConsumeSuffix(stem, ".slice");
  for (const size_t length : {kUuidLength, kConfigHashLength}) {
    if (stem.size() < length + 3) {
      continue;
    }
    const std::string_view uid = stem.substr(stem.size() - length);
    std::string_view before = stem.substr(0, stem.size() - length);
    if (!(length == kUuidLength ? IsUuid(uid) : AllHex(uid)) || !ConsumeSuffix(before, "pod") ||
        (!before.empty() && !ConsumeSuffix(before, "-"))) {
      continue;
    }
    PodName pod{.before = before, .uid = std::string(uid), .behind = component.substr(stem.size())};
    std::replace(pod.uid.begin(), pod.uid.end(), '_', '-');
    return pod;
  }
  return std::nullopt;
}

struct ContainerName {
  std::string_view runtime;  // "" when only the id is there
  std::string_view id;
  bool scope = false;
};

// [<runtime>-]<64 hex>[.scope]
std::optional<ContainerName> ParseContainer(std::string_view component) {
  ContainerName name;
  name.scope = ConsumeSuffix(component, ".scope");
  for (const auto& [prefix, runtime] : kRuntimes) {
    if (component.starts_with(prefix) && component.substr(prefix.size()).starts_with('-')) {
      name.runtime = runtime;
      component.remove_prefix(prefix.size() + 1);
      break;
    }
  }
  if (component.size() != kContainerIdLength || !AllHex(component)) {
    return std::nullopt;
  }
  name.id = component;
  return name;
}

bool IsMonitor(std::string_view component) {
  return component.starts_with("crio-conmon-") || component.starts_with("libpod-conmon-");
}

// "kubepods", "kubepods.slice", "kubelet-kubepods-burstable.slice": one word of the name.
bool HasWord(std::string_view component, std::string_view word) {
  ConsumeSuffix(component, ".slice");
  for (size_t at = component.find(word); at != std::string_view::npos;
       at = component.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || component[at - 1] == '-') &&
        (end == component.size() || component[end] == '-')) {
      return true;
    }
  }
  return false;
}

std::string QosOf(std::string_view component) {
  return HasWord(component, "besteffort")  ? "BestEffort"
         : HasWord(component, "burstable") ? "Burstable"
                                           : "";
}

bool IsUnit(std::string_view component) {
  return component.ends_with(".service") || component.ends_with(".scope") ||
         component.ends_with(".slice");
}

void SetContainer(const ContainerName& name, CgroupIdentity& out) {
  out.container_id = name.id;
  out.runtime_name = name.runtime;
  if (name.scope) {
    out.driver = CgroupDriver::kSystemd;
  }
}

// What is behind ":" when the runtime took systemd's "slice:prefix:id" for a directory's name.
bool SetTriple(std::string_view triple, CgroupIdentity& out) {
  const size_t second = triple.find(':', 1);
  if (!triple.starts_with(':') || second == std::string_view::npos) {
    return false;
  }
  const std::string name =
      std::string(triple.substr(1, second - 1)) + "-" + std::string(triple.substr(second + 1));
  const auto container = ParseContainer(name);
  if (container) {
    SetContainer(*container, out);
    out.driver = CgroupDriver::kMismatch;
  }
  return container.has_value();
}

// The first container at or behind `from`: what is further down it has made itself.
void FindContainer(const std::vector<std::string_view>& components, size_t from,
                   CgroupIdentity& out) {
  const size_t last = components.size() - 1;
  for (size_t i = from; i < components.size(); ++i) {
    out.sandboxed = out.sandboxed || components[i].starts_with("kata_");
    if (IsMonitor(components[i])) {
      out.kind = CgroupKind::kMonitor;
      out.runtime_name = components[i].starts_with("crio") ? "cri-o" : "podman";
      return;
    }
    if (const auto container = ParseContainer(components[i])) {
      SetContainer(*container, out);
      out.kind = i == last ? CgroupKind::kContainer : CgroupKind::kInContainer;
      return;
    }
  }
}

std::string QosAbove(const std::vector<std::string_view>& components, size_t pod,
                     std::string_view before) {
  std::string qos = QosOf(before);
  if (qos.empty() && before.empty() && pod > 0) {
    qos = QosOf(components[pod - 1]);
  }
  const bool guaranteed =
      HasWord(before, "kubepods") ||
      std::any_of(components.begin(), components.begin() + static_cast<ptrdiff_t>(pod),
                  [](std::string_view component) { return HasWord(component, "kubepods"); });
  return !qos.empty() ? qos : guaranteed ? "Guaranteed" : "";
}

bool FindPod(const std::vector<std::string_view>& components, CgroupIdentity& out) {
  for (size_t i = 0; i < components.size(); ++i) {
    const auto pod = ParsePod(components[i]);
    if (!pod) {
      continue;
    }
    const bool last = i + 1 == components.size();
    out.pod_uid = pod->uid;
    out.qos_class = QosAbove(components, i, pod->before);
    out.driver =
        pod->behind.starts_with(".slice") ? CgroupDriver::kSystemd : CgroupDriver::kCgroupfs;
    out.kind = last ? CgroupKind::kPod : CgroupKind::kInPod;
    const size_t colon = pod->behind.find(':');
    if (colon == std::string_view::npos) {
      FindContainer(components, i + 1, out);
    } else if (SetTriple(pod->behind.substr(colon), out)) {
      out.kind = last ? CgroupKind::kContainer : CgroupKind::kInContainer;
    }
    return true;
  }
  return false;
}

// All pods of the node, or of a class.
bool FindPodsOfNode(const std::vector<std::string_view>& components, CgroupIdentity& out) {
  const std::string_view last = components.back();
  const bool below_kubepods = components.size() > 1 &&
                              components[components.size() - 2] == "kubepods" &&
                              !QosOf(last).empty();
  if (!HasWord(last, "kubepods") && !below_kubepods) {
    return false;
  }
  out.driver = last.ends_with(".slice") ? CgroupDriver::kSystemd : CgroupDriver::kCgroupfs;
  out.qos_class = QosOf(last);
  out.kind = out.qos_class.empty() ? CgroupKind::kNodeAllocatable : CgroupKind::kQosClass;
  return true;
}

// A container that is no pod's: an id alone could be anything.
bool FindLoneContainer(const std::vector<std::string_view>& components, CgroupIdentity& out) {
  for (size_t i = 0; i < components.size(); ++i) {
    auto container = ParseContainer(components[i]);
    if (container && container->runtime.empty() && i > 0 && components[i - 1] == "docker") {
      container->runtime = "docker";
      out.driver = CgroupDriver::kCgroupfs;
    }
    if (!container || container->runtime.empty()) {
      continue;
    }
    SetContainer(*container, out);
    out.kind = i + 1 == components.size() ? CgroupKind::kContainer : CgroupKind::kInContainer;
    return true;
  }
  return false;
}

void FindUnit(const std::vector<std::string_view>& components, CgroupIdentity& out) {
  for (const std::string_view component : components) {
    // The innermost service or scope; a slice only where there is none.
    const bool better =
        !component.ends_with(".slice") || out.unit.empty() || out.unit.ends_with(".slice");
    if (IsUnit(component) && better) {
      out.unit = component;
      out.driver = CgroupDriver::kSystemd;
      out.kind = IsMonitor(component) ? CgroupKind::kMonitor : CgroupKind::kSystem;
    }
  }
}

}  // namespace

CgroupIdentity IdentifyCgroup(std::string_view path) {
  CgroupIdentity identity;
  const std::vector<std::string_view> components = Split(path);
  if (components.empty()) {
    identity.kind = path == "/" ? CgroupKind::kRoot : CgroupKind::kUnknown;
    return identity;
  }
  if (!FindPod(components, identity) && !FindPodsOfNode(components, identity) &&
      !FindLoneContainer(components, identity)) {
    FindUnit(components, identity);
  }
  return identity;
}

}  // namespace oombox
