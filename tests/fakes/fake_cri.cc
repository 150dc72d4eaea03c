#include "tests/fakes/fake_cri.h"

#include <grpcpp/server_builder.h>

#include <chrono>

namespace oombox {

namespace {

template <typename Answer, typename Response>
grpc::Status Give(const Answer& answer, Response* response) {
  return answer ? answer(*response) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "not here");
}

// As runtimes do: by a prefix.
template <typename Items>
void KeepOnly(const std::string& prefix, Items* items) {
  for (int i = items->size() - 1; i >= 0; --i) {
    if (!(*items)[i].id().starts_with(prefix)) {
      items->DeleteSubrange(i, 1);
    }
  }
}

}  // namespace

FakeCri::FakeCri(const std::string& socket) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  builder.SetMaxSendMessageSize(-1);
  server_ = builder.BuildAndStart();
}

FakeCri::~FakeCri() { server_->Shutdown(std::chrono::system_clock::now()); }

grpc::Status FakeCri::Version(grpc::ServerContext* /*context*/,
                              const runtime::v1::VersionRequest* /*request*/,
                              runtime::v1::VersionResponse* response) {
  response->set_runtime_name("fake");
  return version ? version() : grpc::Status::OK;
}

grpc::Status FakeCri::ListPodSandbox(grpc::ServerContext* /*context*/,
                                     const runtime::v1::ListPodSandboxRequest* request,
                                     runtime::v1::ListPodSandboxResponse* response) {
  const grpc::Status given = Give(pods, response);
  KeepOnly(request->filter().id(), response->mutable_items());
  return given;
}

grpc::Status FakeCri::ListContainers(grpc::ServerContext* /*context*/,
                                     const runtime::v1::ListContainersRequest* request,
                                     runtime::v1::ListContainersResponse* response) {
  const grpc::Status given = Give(containers, response);
  KeepOnly(request->filter().id(), response->mutable_containers());
  return given;
}

grpc::Status FakeCri::ContainerStatus(grpc::ServerContext* /*context*/,
                                      const runtime::v1::ContainerStatusRequest* request,
                                      runtime::v1::ContainerStatusResponse* response) {
  const grpc::Status given = Give(status, response);
  if (!request->verbose()) {
    response->clear_info();
  }
  return given;
}

}  // namespace oombox
