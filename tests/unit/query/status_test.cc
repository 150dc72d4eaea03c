#include "agent/query/status.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(StatusTest, EachErrorHasItsCodeOnTheWire) {
  const std::pair<ErrorCode, grpc::StatusCode> pairs[] = {
      {ErrorCode::kInvalid, grpc::StatusCode::INVALID_ARGUMENT},
      {ErrorCode::kNotFound, grpc::StatusCode::NOT_FOUND},
      {ErrorCode::kAmbiguous, grpc::StatusCode::FAILED_PRECONDITION},
      {ErrorCode::kPermission, grpc::StatusCode::PERMISSION_DENIED},
      {ErrorCode::kUnavailable, grpc::StatusCode::UNAVAILABLE},
      {ErrorCode::kExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {ErrorCode::kCorrupt, grpc::StatusCode::DATA_LOSS},
      {ErrorCode::kInternal, grpc::StatusCode::INTERNAL}};
  for (const auto& [code, grpc_code] : pairs) {
    const grpc::Status status = ToGrpcStatus({.code = code, .message = "why"});

    EXPECT_EQ(status.error_code(), grpc_code);
    EXPECT_EQ(status.error_message(), "why");
    EXPECT_EQ(FromGrpcStatus(status).code, code);
    EXPECT_EQ(FromGrpcStatus(status).message, "why");
  }
}

TEST(StatusTest, WhatVanishedIsAFailedPrecondition) {
  EXPECT_EQ(ToGrpcStatus({.code = ErrorCode::kGone}).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST(StatusTest, ADeadlineIsWorthAnotherTry) {
  EXPECT_EQ(FromGrpcStatus({grpc::StatusCode::DEADLINE_EXCEEDED, ""}).code,
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace oombox
