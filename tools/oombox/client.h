#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "agent/common/result.h"
#include "tools/oombox/event_source.h"

namespace oombox {

struct ClientOptions {
  std::string address;  // "host:port" or "unix:PATH"
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  bool insecure = false;
  std::chrono::milliseconds timeout{10'000};
};

// A source that asks an agent or a collector over gRPC. A unary call that finds the server
// unavailable is tried again a few times, never past the timeout; a stream that breaks is the
// caller's to reopen. kInvalid: the address or the TLS files cannot be used. Connecting happens at
// the first question.
Result<std::unique_ptr<EventSource>> MakeGrpcSource(const ClientOptions& options);

}  // namespace oombox
