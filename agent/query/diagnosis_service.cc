#include "agent/query/diagnosis_service.h"

#include "agent/query/unary_call.h"

namespace oombox {

grpc::ServerUnaryReactor* DiagnosisService::ExplainEvent(grpc::CallbackServerContext* context,
                                                         const v1::ExplainEventRequest* request,
                                                         v1::ExplainEventResponse* response) {
  return AnswerOn(queue_, context, request, response,
                  [this](const v1::ExplainEventRequest& r) { return queries_.Explain(r); });
}

}  // namespace oombox
