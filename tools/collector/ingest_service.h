#pragma once

#include "oombox/v1/ingest.grpc.pb.h"
#include "tools/collector/ingest_hub.h"

namespace oombox {

// The gRPC side of ingest: a reactor per stream that forwards to its link. Must outlive the server.
class IngestService final : public v1::IngestService::CallbackService {
 public:
  explicit IngestService(IngestHub& hub) : hub_(hub) {}

  grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* Ingest(
      grpc::CallbackServerContext* context) override;

 private:
  IngestHub& hub_;
};

}  // namespace oombox
