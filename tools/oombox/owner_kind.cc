#include "tools/oombox/owner_kind.h"

#include <algorithm>
#include <array>
#include <utility>

namespace oombox {

namespace {

using Name = std::pair<std::string_view, std::string_view>;

constexpr std::array kKinds = {
    Name{"deploy", "deployment"},
    Name{"deployment", "deployment"},
    Name{"deployments", "deployment"},
    Name{"sts", "statefulset"},
    Name{"statefulset", "statefulset"},
    Name{"statefulsets", "statefulset"},
    Name{"ds", "daemonset"},
    Name{"daemonset", "daemonset"},
    Name{"daemonsets", "daemonset"},
    Name{"job", "job"},
    Name{"jobs", "job"},
    Name{"cj", "cronjob"},
    Name{"cronjob", "cronjob"},
    Name{"cronjobs", "cronjob"},
};

const Name* Find(std::string_view kind) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const Name& name) { return name.first == kind; });
  return found == kKinds.end() ? nullptr : found;
}

}  // namespace

bool IsOwnerKind(std::string_view kind) { return Find(kind) != nullptr; }

std::string FullOwner(std::string_view owner) {
  const size_t slash = owner.find('/');
  const Name* const kind = slash == std::string_view::npos ? nullptr : Find(owner.substr(0, slash));
  return kind == nullptr ? std::string(owner)
                         : std::string(kind->second) + std::string(owner.substr(slash));
}

}  // namespace oombox
