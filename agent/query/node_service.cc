#include "agent/query/node_service.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>

#include "agent/query/unary_call.h"

namespace oombox {

namespace {

using std::chrono::milliseconds;

// A node that needs longer than this is not answering.
constexpr milliseconds kMaxWait{5000};

milliseconds TimeLeft(const grpc::CallbackServerContext& context) {
  const auto left = std::chrono::duration_cast<milliseconds>(context.deadline() -
                                                             std::chrono::system_clock::now());
  return std::clamp(left, milliseconds{0}, kMaxWait);
}

}  // namespace

grpc::ServerUnaryReactor* NodeService::ListNodes(grpc::CallbackServerContext* context,
                                                 const v1::ListNodesRequest* request,
                                                 v1::ListNodesResponse* response) {
  return AnswerOn(store_queue_, context, request, response,
                  [this](const v1::ListNodesRequest& r) { return queries_.List(r); });
}

grpc::ServerUnaryReactor* NodeService::GetNodeReport(grpc::CallbackServerContext* context,
                                                     const v1::GetNodeReportRequest* request,
                                                     v1::GetNodeReportResponse* response) {
  return AnswerOn(live_queue_, context, request, response,
                  [this, context](const v1::GetNodeReportRequest& r) {
                    return queries_.Report(r, TimeLeft(*context));
                  });
}

grpc::ServerUnaryReactor* NodeService::GetVersion(grpc::CallbackServerContext* context,
                                                  const v1::GetVersionRequest* /*request*/,
                                                  v1::GetVersionResponse* response) {
  response->set_component(identity_.component);
  response->set_version(identity_.version);
  *response->mutable_start_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(identity_.start_wall_ns);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace oombox
