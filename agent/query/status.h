#pragma once

#include <grpcpp/support/status.h>

#include "agent/common/result.h"

namespace oombox {

// What an Error is on the wire, and back. The message travels unchanged.
grpc::Status ToGrpcStatus(const Error& error);
Error FromGrpcStatus(const grpc::Status& status);

}  // namespace oombox
