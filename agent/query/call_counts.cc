#include "agent/query/call_counts.h"

#include <google/protobuf/descriptor.h>

#include <string_view>

#include "oombox/v1/query.pb.h"

namespace oombox {

namespace {

constexpr std::array<const char*, 17> kCodeNames = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

constexpr std::string_view kPrefix = "/oombox.v1.";

}  // namespace

// Of one call.
class CallCounts::Counter final : public grpc::experimental::Interceptor {
 public:
  explicit Counter(ByCode& calls) : calls_(calls) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
      const auto code = static_cast<size_t>(methods->GetSendStatus().error_code());
      calls_.at(code < kCodes ? code : static_cast<size_t>(grpc::StatusCode::UNKNOWN))
          .fetch_add(1, std::memory_order_relaxed);
    }
    methods->Proceed();
  }

 private:
  ByCode& calls_;
};

class CallCounts::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(CallCounts& counts) : counts_(counts) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    std::string_view method = info->method();
    if (!method.starts_with(kPrefix)) {
      return nullptr;
    }
    const auto found = counts_.calls_.find(method.substr(kPrefix.size()));
    // gRPC owns it and deletes it with the call.
    return found == counts_.calls_.end() ? nullptr : new Counter(found->second);
  }

 private:
  CallCounts& counts_;
};

CallCounts::CallCounts() {
  const google::protobuf::FileDescriptor& file = *v1::ListEventsRequest::descriptor()->file();
  for (int i = 0; i < file.service_count(); ++i) {
    const google::protobuf::ServiceDescriptor& service = *file.service(i);
    for (int j = 0; j < service.method_count(); ++j) {
      calls_[service.name() + "/" + service.method(j)->name()];
    }
  }
}

std::vector<CallCounts::Count> CallCounts::Read() const {
  std::vector<Count> counts;
  for (const auto& [method, by_code] : calls_) {
    for (size_t code = 0; code < kCodes; ++code) {
      const uint64_t calls = by_code[code].load(std::memory_order_relaxed);
      if (code == 0 || calls > 0) {
        counts.push_back({method, kCodeNames[code], calls});
      }
    }
  }
  return counts;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> CallCounts::Interceptor() {
  return std::make_unique<Factory>(*this);
}

}  // namespace oombox
