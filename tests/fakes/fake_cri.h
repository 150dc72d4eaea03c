#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/v1/api.grpc.pb.h"

namespace oombox {

// A container runtime on a unix socket that answers whatever the test says, right or not. Serves
// from construction to destruction. Thread-safe.
class FakeCri final : public runtime::v1::RuntimeService::Service {
 public:
  explicit FakeCri(const std::string& socket);
  ~FakeCri() override;

  // Each is called for its method; unset: UNIMPLEMENTED, but for the version. It may take its time.
  // Of the answer the client gets what its filter lets through, and `info` if it asked for it.
  std::function<grpc::Status()> version;
  std::function<grpc::Status(runtime::v1::ListPodSandboxResponse&)> pods;
  std::function<grpc::Status(runtime::v1::ListContainersResponse&)> containers;
  std::function<grpc::Status(runtime::v1::ContainerStatusResponse&)> status;

  grpc::Status Version(grpc::ServerContext* context, const runtime::v1::VersionRequest* request,
                       runtime::v1::VersionResponse* response) override;
  grpc::Status ListPodSandbox(grpc::ServerContext* context,
                              const runtime::v1::ListPodSandboxRequest* request,
                              runtime::v1::ListPodSandboxResponse* response) override;
  grpc::Status ListContainers(grpc::ServerContext* context,
                              const runtime::v1::ListContainersRequest* request,
                              runtime::v1::ListContainersResponse* response) override;
  grpc::Status ContainerStatus(grpc::ServerContext* context,
                               const runtime::v1::ContainerStatusRequest* request,
                               runtime::v1::ContainerStatusResponse* response) override;

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace oombox
