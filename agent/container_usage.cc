#include "agent/container_usage.h"

#include <google/protobuf/util/time_util.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "agent/common/text.h"
#include "agent/identity/cgroup_path.h"

namespace oombox {

namespace {

namespace fs = std::filesystem;

// v1 writes the biggest multiple of a page for "no limit"; no machine has half of that.
constexpr uint64_t kNoLimit = uint64_t{1} << 62;

constexpr size_t kMaxBytes = size_t{400} << 10;
constexpr size_t kMaxCgroups = 20'000;
constexpr std::chrono::seconds kMaxAge(5);

std::optional<uint64_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  uint64_t value = 0;
  if (!(file >> word) || std::from_chars(word.data(), word.data() + word.size(), value).ptr !=
                             word.data() + word.size()) {
    return std::nullopt;  // gone, or "max"
  }
  return value;
}

void FillIds(const CgroupIdentity& identity, v1::Container* out) {
  out->set_container_id(identity.container_id);
  out->set_pod_uid(identity.pod_uid);
  out->set_qos_class(identity.qos_class);
  out->set_runtime_name(identity.runtime_name);
}

void FillNames(const RuntimeContainer& known, v1::ContainerReport* out) {
  v1::Container* container = out->mutable_container();
  container->set_container_name(EscapeUntrusted(known.container_name));
  container->set_pod_name(EscapeUntrusted(known.pod_name));
  container->set_namespace_name(EscapeUntrusted(known.namespace_name));
  container->set_image_name(EscapeUntrusted(known.image_name));
  container->set_owner(EscapeUntrusted(known.owner));
  if (known.restart_count) {
    out->set_restarts(*known.restart_count);
  }
}

// Nothing when it is a pod's sandbox, or going.
std::optional<v1::ContainerReport> ReadContainer(const MemoryHierarchy& hierarchy,
                                                 const std::string& path,
                                                 const CgroupIdentity& identity,
                                                 ContainerSource* names) {
  const auto known = names == nullptr ? std::nullopt : names->Known(identity.container_id);
  if (known && known->is_sandbox) {
    return std::nullopt;
  }
  const std::string folder = hierarchy.root + path;
  struct stat status {};
  const auto usage =
      ReadNumber(folder + (hierarchy.v2 ? "/memory.current" : "/memory.usage_in_bytes"));
  if (!usage || ::stat(folder.c_str(), &status) != 0) {
    return std::nullopt;
  }
  v1::ContainerReport container;
  container.set_cgroup_id(status.st_ino);
  container.set_cgroup_path(EscapeUntrusted(path));
  container.set_usage_bytes(*usage);
  const auto limit = ReadNumber(folder + (hierarchy.v2 ? "/memory.max" : "/memory.limit_in_bytes"));
  if (limit && *limit < kNoLimit) {
    container.set_limit_bytes(*limit);
  }
  FillIds(identity, container.mutable_container());
  if (known) {
    FillNames(*known, &container);
  }
  return container;
}

void AddChildren(const std::string& root, const std::string& path, std::deque<std::string>& open) {
  std::error_code error;
  for (fs::directory_iterator at(root + path, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error)) {
      open.push_back(path + "/" + at->path().filename().string());
    }
  }
}

void FillNamesHealth(const ContainerWatch::Status& status, v1::NodeReport& report) {
  v1::ContainerNames* counts = report.mutable_container_names();
  counts->set_known(status.known);
  counts->set_remembered(status.remembered);
  counts->set_failed_calls(status.failed_calls);
  counts->set_refused(status.refused);
  counts->set_unanswered(status.unanswered);
  v1::StageHealth* stage = report.add_stages();
  stage->set_name("names");
  if (status.error.empty()) {
    stage->set_state(v1::StageHealth::STATE_OK);
    return;
  }
  stage->set_state(v1::StageHealth::STATE_STALLED);
  stage->set_reason("the container runtime does not answer: " + status.error);
  *stage->mutable_stalled_for() =
      google::protobuf::util::TimeUtil::NanosecondsToDuration(status.silent_for.count());
}

}  // namespace

void FillContainers(const MemoryHierarchy& hierarchy, ContainerSource* names,
                    v1::NodeReport& report) {
  std::deque<std::string> open = {""};
  size_t bytes = 0;
  uint32_t total = 0;
  for (size_t visited = 0; !open.empty() && visited < kMaxCgroups; ++visited) {
    const std::string path = std::move(open.front());
    open.pop_front();
    const CgroupIdentity identity = IdentifyCgroup(path);
    if (identity.kind != CgroupKind::kContainer) {
      AddChildren(hierarchy.root, path, open);
      continue;  // what is below a container is its own
    }
    if (auto container = ReadContainer(hierarchy, path, identity, names)) {
      ++total;
      bytes += container->ByteSizeLong();
      if (bytes <= kMaxBytes) {
        *report.add_containers() = std::move(*container);
      }
    }
  }
  if (open.empty()) {  // else nobody knows how many there are
    report.set_containers_total(total);
  }
}

namespace {

// Asked for by each answer about the node, and by the uplink every 10 s.
class RecentContainers {
 public:
  RecentContainers(MemoryHierarchy hierarchy, std::shared_ptr<ContainerWatch> names)
      : hierarchy_(std::move(hierarchy)), names_(std::move(names)) {}

  void Fill(v1::NodeReport& report) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!read_at_ || now - *read_at_ > kMaxAge) {
      recent_.Clear();
      FillContainers(hierarchy_, names_.get(), recent_);
      read_at_ = now;
    }
    *report.mutable_containers() = recent_.containers();
    if (recent_.has_containers_total()) {
      report.set_containers_total(recent_.containers_total());
    }
  }

 private:
  const MemoryHierarchy hierarchy_;
  const std::shared_ptr<ContainerWatch> names_;
  std::mutex mutex_;
  v1::NodeReport recent_;  // of it the containers
  std::optional<std::chrono::steady_clock::time_point> read_at_;
};

}  // namespace

std::function<void(v1::NodeReport&)> ContainerUsage(bool replaying,
                                                    std::shared_ptr<ContainerWatch> names) {
  auto hierarchy = FindMemoryHierarchy();
  if (replaying || !hierarchy) {
    return nullptr;
  }
  auto recent = std::make_shared<RecentContainers>(std::move(*hierarchy), names);
  return [recent = std::move(recent), names = std::move(names)](v1::NodeReport& report) {
    recent->Fill(report);
    if (names != nullptr) {
      FillNamesHealth(names->status(), report);
    }
  };
}

}  // namespace oombox
