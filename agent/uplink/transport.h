#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "agent/common/result.h"
#include "oombox/v1/ingest.pb.h"

namespace oombox {

// What a stream tells, from threads of its own; implementations are quick and never block.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;
  // False: read nothing more until ReadOn. That is how a flood of messages stays in the network.
  virtual bool OnResponse(v1::IngestResponse response) = 0;
  // The message given to Send has left: the next one may go.
  virtual void OnWritten() = 0;
  // Nothing more will come: Finish tells why.
  virtual void OnBroken() = 0;
};

// One stream to a collector. Used by one thread. Destruction cancels the stream when it is still
// open; Finish and destruction return when the observer will not be called any more.
class CollectorStream {
 public:
  virtual ~CollectorStream() = default;
  // One at a time: only at the beginning and after OnWritten.
  virtual void Send(v1::IngestRequest request) = 0;
  // Only after OnResponse returned false.
  virtual void ReadOn() = 0;
  // Nothing more is sent; only when a Send would be allowed.
  virtual void HalfClose() = 0;
  // Waits at most `grace` for the collector's status, then cancels. Ok when the collector ended the
  // stream in good order. Once, and the last call.
  virtual Status Finish(std::chrono::milliseconds grace) = 0;
};

// Opens streams.
class CollectorTransport {
 public:
  virtual ~CollectorTransport() = default;
  // Returns at once; a collector that cannot be reached breaks the stream. kInvalid: the address or
  // its TLS files cannot be used. `observer` must outlive the stream.
  virtual Result<std::unique_ptr<CollectorStream>> Open(const std::string& address,
                                                        StreamObserver& observer) = 0;
};

}  // namespace oombox
