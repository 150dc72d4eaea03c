#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace oombox {

// How many calls of the query services ended with which status. The methods are those of the
// services' descriptors, so that no client can make up new ones. Thread-safe, lock-free.
class CallCounts {
 public:
  CallCounts();

  struct Count {
    std::string method;  // "EventService/ListEvents"
    std::string code;    // "OK", "NOT_FOUND"
    uint64_t calls = 0;
  };
  // Every method's OK, and what else there was.
  std::vector<Count> Read() const;

  // For one server; this must outlive it. A call that is none of ours costs a look-up.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> Interceptor();

 private:
  static constexpr size_t kCodes = 17;  // grpc::StatusCode
  using ByCode = std::array<std::atomic<uint64_t>, kCodes>;
  class Factory;
  class Counter;

  std::map<std::string, ByCode, std::less<>> calls_;  // by method; fixed after construction
};

}  // namespace oombox
