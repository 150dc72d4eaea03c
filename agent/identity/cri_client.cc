#include "agent/identity/cri_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <utility>

#include "agent/common/text.h"
#include "agent/identity/cri_read.h"
#include "agent/identity/runtime_set.h"
#include "runtime/v1/api.grpc.pb.h"

namespace oombox {

namespace {

namespace cri = runtime::v1;

constexpr int kMaxResponseBytes = 16 << 20;  // as the kubelet's
constexpr size_t kMaxMessageBytes = 256;

Error ErrorOf(const grpc::Status& status) {
  const bool gone = status.error_code() == grpc::StatusCode::NOT_FOUND;
  const bool unknown = status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
  std::string message = EscapeUntrusted(status.error_message().substr(0, kMaxMessageBytes));
  if (unknown) {
    message +=
        "; the runtime does not speak CRI runtime.v1 (containerd below 1.6, CRI-O below 1.23)";
  }
  return {gone ? ErrorCode::kNotFound : ErrorCode::kUnavailable, std::move(message)};
}

class CriClient final : public ContainerRuntime {
 public:
  CriClient(std::string socket, std::chrono::milliseconds deadline)
      : socket_(std::move(socket)), deadline_(deadline) {}

  Result<std::vector<RuntimeContainer>> List() override;
  Result<RuntimeContainer> Find(const std::string& container_id) override;
  void Stop() override;

 private:
  template <typename Request, typename Response>
  using Method = grpc::Status (cri::RuntimeService::Stub::*)(grpc::ClientContext*, const Request&,
                                                             Response*);

  // Connects first where there is no connection.
  template <typename Request, typename Response>
  Result<Response> Call(Method<Request, Response> method, const Request& request);
  template <typename Request, typename Response>
  Result<Response> CallStub(Method<Request, Response> method, const Request& request);

  Status Connect();
  Result<RuntimeContainer> FindSandbox(const std::string& id);

  const std::string socket_;
  const std::chrono::milliseconds deadline_;
  std::unique_ptr<cri::RuntimeService::Stub> stub_;  // null: it has not answered
  std::string runtime_name_;
  std::mutex mutex_;
  grpc::ClientContext* calling_ = nullptr;
  bool stopped_ = false;
};

std::unique_ptr<cri::RuntimeService::Stub> StubAt(const std::string& socket) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxResponseBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // containerd refuses the socket's path as an authority.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return cri::RuntimeService::NewStub(
      grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
}

Status CriClient::Connect() {
  if (stub_ != nullptr) {
    return {};
  }
  stub_ = StubAt(socket_);
  const auto version = CallStub(&cri::RuntimeService::Stub::Version, cri::VersionRequest());
  if (!version) {
    stub_.reset();
    return Annotate(version.error(), socket_);
  }
  runtime_name_ = version->runtime_name().substr(0, kMaxMessageBytes);
  return {};
}

template <typename Request, typename Response>
Result<Response> CriClient::Call(Method<Request, Response> method, const Request& request) {
  OOMBOX_RETURN_IF_ERROR(Connect());
  auto response = CallStub(method, request);
  if (!response && response.error().code != ErrorCode::kNotFound) {
    stub_.reset();
  }
  return response;
}

template <typename Request, typename Response>
Result<Response> CriClient::CallStub(Method<Request, Response> method, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + deadline_);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return MakeError(ErrorCode::kUnavailable, "stopped");
    }
    calling_ = &context;
  }
  Response response;
  const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
  {
    const std::lock_guard lock(mutex_);
    calling_ = nullptr;
  }
  if (!status.ok()) {
    return tl::unexpected(ErrorOf(status));
  }
  return response;
}

void CriClient::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  if (calling_ != nullptr) {
    calling_->TryCancel();
  }
}

Result<std::vector<RuntimeContainer>> CriClient::List() {
  OOMBOX_TRY(const auto sandboxes,
             Call(&cri::RuntimeService::Stub::ListPodSandbox, cri::ListPodSandboxRequest()));
  OOMBOX_TRY(const auto listed,
             Call(&cri::RuntimeService::Stub::ListContainers, cri::ListContainersRequest()));
  std::map<std::string, const cri::PodSandbox*> by_id;
  std::vector<RuntimeContainer> found;
  for (const cri::PodSandbox& sandbox : sandboxes.items()) {
    by_id.emplace(sandbox.id(), &sandbox);
    found.push_back(ReadSandbox(sandbox));
  }
  for (const cri::Container& container : listed.containers()) {
    const auto sandbox = by_id.find(container.pod_sandbox_id());
    found.push_back(ReadListed(container, sandbox == by_id.end() ? nullptr : sandbox->second));
  }
  for (RuntimeContainer& container : found) {
    container.runtime_name = runtime_name_;
  }
  return found;
}

// The filter takes a prefix, and a runtime may answer anything: only the very id counts.
Result<RuntimeContainer> CriClient::Find(const std::string& container_id) {
  cri::ListContainersRequest request;
  request.mutable_filter()->set_id(container_id);
  OOMBOX_TRY(const auto listed, Call(&cri::RuntimeService::Stub::ListContainers, request));
  const cri::Container* container = nullptr;
  for (const cri::Container& candidate : listed.containers()) {
    container = candidate.id() == container_id ? &candidate : container;
  }
  if (container == nullptr) {
    return FindSandbox(container_id);
  }
  cri::ListPodSandboxRequest pod;
  pod.mutable_filter()->set_id(container->pod_sandbox_id());
  OOMBOX_TRY(const auto sandboxes, Call(&cri::RuntimeService::Stub::ListPodSandbox, pod));
  const cri::PodSandbox* sandbox = nullptr;
  for (const cri::PodSandbox& candidate : sandboxes.items()) {
    sandbox = candidate.id() == container->pod_sandbox_id() ? &candidate : sandbox;
  }
  RuntimeContainer found = ReadListed(*container, sandbox);
  found.runtime_name = runtime_name_;
  cri::ContainerStatusRequest status_request;
  status_request.set_container_id(container_id);
  status_request.set_verbose(true);
  const auto status = Call(&cri::RuntimeService::Stub::ContainerStatus, status_request);
  if (!status && status.error().code == ErrorCode::kNotFound) {
    found.running = false;  // removed since it was listed: its names are known, its end is not
    return found;
  }
  if (!status) {
    return tl::unexpected(status.error());
  }
  if (status->status().id() != container_id) {
    return MakeError(ErrorCode::kUnavailable, "the runtime answered for another container");
  }
  AddStatus(*status, found);
  return found;
}

Result<RuntimeContainer> CriClient::FindSandbox(const std::string& id) {
  cri::ListPodSandboxRequest request;
  request.mutable_filter()->set_id(id);
  OOMBOX_TRY(const auto sandboxes, Call(&cri::RuntimeService::Stub::ListPodSandbox, request));
  for (const cri::PodSandbox& sandbox : sandboxes.items()) {
    if (sandbox.id() == id) {
      RuntimeContainer found = ReadSandbox(sandbox);
      found.runtime_name = runtime_name_;
      return found;
    }
  }
  return MakeError(ErrorCode::kNotFound, "the runtime knows no container {}", id);
}

}  // namespace

std::unique_ptr<ContainerRuntime> ConnectCri(const std::vector<std::string>& sockets,
                                             std::chrono::milliseconds deadline) {
  std::vector<std::unique_ptr<ContainerRuntime>> runtimes;
  runtimes.reserve(sockets.size());
  for (const std::string& socket : sockets) {
    runtimes.push_back(std::make_unique<CriClient>(socket, deadline));
  }
  return JoinRuntimes(std::move(runtimes));
}

std::vector<std::string> FindCriSockets(const std::string& root) {
  std::vector<std::string> found;
  for (const char* path :
       {"/run/crio/crio.sock", "/run/cri-dockerd.sock", "/run/k3s/containerd/containerd.sock",
        "/run/containerd/containerd.sock"}) {
    struct stat status {};
    if (::stat((root + path).c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
      found.push_back(root + path);
    }
  }
  return found;
}

}  // namespace oombox
