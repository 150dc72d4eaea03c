#include "agent/identity/cri_read.h"

#include <map>
#include <string>

#include "agent/identity/oci_spec.h"
#include "agent/identity/owner.h"

namespace oombox {

namespace {

using google::protobuf::Map;

// Kubernetes allows 253 bytes and images are rarely longer: what is, is cut, not refused.
constexpr size_t kMaxText = 512;

std::string Cut(const std::string& text) { return text.substr(0, kMaxText); }

std::string Label(const Map<std::string, std::string>& labels, const char* name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string() : Cut(found->second);
}

const std::string& First(const std::string& one, const std::string& other) {
  return one.empty() ? other : one;
}

void AddPod(const runtime::v1::PodSandbox& sandbox, RuntimeContainer& out) {
  const runtime::v1::PodSandboxMetadata& pod = sandbox.metadata();
  out.pod_name = Cut(First(pod.name(), out.pod_name));
  out.pod_uid = Cut(First(pod.uid(), out.pod_uid));
  out.namespace_name = Cut(First(pod.namespace_(), out.namespace_name));
  out.runtime_handler = Cut(sandbox.runtime_handler());
  out.owner = OwnerOf(out.pod_name, {sandbox.labels().begin(), sandbox.labels().end()},
                      sandbox.created_at());
}

// The first container of a name has the attempt 0.
void AddMetadata(const runtime::v1::ContainerMetadata& metadata, RuntimeContainer& out) {
  out.container_name = Cut(metadata.name());
  out.restart_count = metadata.attempt();
}

}  // namespace

RuntimeContainer ReadListed(const runtime::v1::Container& container,
                            const runtime::v1::PodSandbox* sandbox) {
  RuntimeContainer out;
  out.container_id = Cut(container.id());
  // Labels are the kubelet's; metadata the runtime's: they agree, and either may be missing.
  out.pod_name = Label(container.labels(), "io.kubernetes.pod.name");
  out.pod_uid = Label(container.labels(), "io.kubernetes.pod.uid");
  out.namespace_name = Label(container.labels(), "io.kubernetes.pod.namespace");
  if (sandbox != nullptr) {
    AddPod(*sandbox, out);
  }
  if (container.has_metadata()) {
    AddMetadata(container.metadata(), out);
  }
  out.running = container.state() == runtime::v1::CONTAINER_RUNNING;
  out.image_name = Cut(First(container.image().user_specified_image(), container.image().image()));
  return out;
}

RuntimeContainer ReadSandbox(const runtime::v1::PodSandbox& sandbox) {
  RuntimeContainer out;
  out.container_id = Cut(sandbox.id());
  out.is_sandbox = true;
  AddPod(sandbox, out);
  return out;
}

void AddStatus(const runtime::v1::ContainerStatusResponse& response, RuntimeContainer& container) {
  const runtime::v1::ContainerStatus& status = response.status();
  // An image named by its digest says less than the name it was asked for by.
  const std::string& image = First(status.image().user_specified_image(), status.image().image());
  if (!image.empty() && !image.starts_with("sha256:")) {
    container.image_name = Cut(image);
  }
  // containerd before 1.7 has no `resources`: then the spec tells.
  if (const auto info = response.info().find("info"); info != response.info().end()) {
    AddSpec(info->second, container);
  }
  if (status.resources().has_linux()) {
    SetLimits(status.resources().linux().memory_limit_in_bytes(),
              status.resources().linux().oom_score_adj(), container);
  }
  container.running = status.state() == runtime::v1::CONTAINER_RUNNING;
  container.exit.reset();
  if (status.state() == runtime::v1::CONTAINER_EXITED) {
    container.exit = RuntimeExit{.reason = Cut(status.reason()),
                                 .exit_code = status.exit_code(),
                                 .finished_wall_ns = status.finished_at()};
  }
}

}  // namespace oombox
