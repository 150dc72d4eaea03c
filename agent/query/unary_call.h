#pragma once

#include <grpcpp/support/server_callback.h>

#include <utility>

#include "agent/common/result.h"
#include "agent/query/status.h"
#include "agent/query/work_queue.h"

namespace oombox {

// The protocol promises this bound; the server itself may have to take bigger messages (ingest).
inline constexpr size_t kMaxRequestBytes = 64u << 10;

// Answers a unary call with what `answer` (returning Result<Response>) makes of the request on the
// queue's thread. Request and response live until the call is finished, so the task may use them.
template <typename Request, typename Response, typename Answer>
grpc::ServerUnaryReactor* AnswerOn(WorkQueue& queue, grpc::CallbackServerContext* context,
                                   const Request* request, Response* response, Answer answer) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->ByteSizeLong() > kMaxRequestBytes) {
    reactor->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "a request is at most 64 KiB"});
    return reactor;
  }
  const bool posted = queue.Post([=, answer = std::move(answer)] {
    if (context->IsCancelled()) {
      reactor->Finish(grpc::Status::CANCELLED);
      return;
    }
    Result<Response> result = answer(*request);
    if (!result.has_value()) {
      reactor->Finish(ToGrpcStatus(result.error()));
      return;
    }
    response->Swap(&result.value());
    reactor->Finish(grpc::Status::OK);
  });
  if (!posted) {
    reactor->Finish({grpc::StatusCode::RESOURCE_EXHAUSTED,
                     "too many requests are waiting; try again in a moment"});
  }
  return reactor;
}

}  // namespace oombox
