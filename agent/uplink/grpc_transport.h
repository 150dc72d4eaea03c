#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "agent/common/credentials.h"
#include "agent/uplink/transport.h"

namespace oombox {

// Streams over gRPC. Every stream has a connection of its own, so that a new attempt is not held
// back by the pauses gRPC makes for a connection that failed. A peer that is silently gone breaks
// the stream after both keepalive times. Used by one thread.
class GrpcTransport final : public CollectorTransport {
 public:
  struct Options {
    TlsFiles tls;
    bool allow_plaintext = false;
    std::chrono::milliseconds keepalive_time{20'000};  // without a byte; then it is asked
    std::chrono::milliseconds keepalive_timeout{10'000};
  };

  explicit GrpcTransport(Options options);

  Result<std::unique_ptr<CollectorStream>> Open(const std::string& address,
                                                StreamObserver& observer) override;

 private:
  const Options options_;
  std::map<std::string, std::shared_ptr<grpc::ChannelCredentials>> credentials_;  // by address
};

}  // namespace oombox
