#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/query/call_counts.h"
#include "agent/query/node_directory.h"
#include "agent/store/event_store.h"

namespace oombox {

// The gRPC server of an agent or a collector: the query services over a store, health, reflection
// and what the caller adds. Serves from Start until Shutdown (or the destructor). Thread-safe.
class QueryServer {
 public:
  struct Listen {
    std::string address = {};  // "unix:/run/oombox/agent.sock", "127.0.0.1:5137"; port 0: any
    std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
  };
  struct Options {
    std::vector<Listen> listen = {};  // may be empty: then only InProcessChannel reaches it
    std::string component = {};       // "oombox-agent"
    std::string version = {};
    int max_receive_bytes = 4 << 20;
    // Questions that may search the store at the same time. Fewer than the store has readers, so
    // that slow searches never hold up ingest, uplink and watches.
    size_t store_workers = 2;
    // A peer that is silently gone ends its streams after both.
    std::chrono::milliseconds keepalive_time{20'000};
    std::chrono::milliseconds keepalive_timeout{10'000};
    std::vector<grpc::Service*> extra_services = {};  // must outlive the server
    CallCounts* call_counts = nullptr;                // counts the calls; must outlive the server
  };

  // Store and directory must outlive the server. kUnavailable: somebody else listens there.
  // kPermission, kInvalid: the message names the address and what is wrong with it.
  static Result<std::unique_ptr<QueryServer>> Start(const Options& options, EventStore& store,
                                                    NodeDirectory& nodes);
  ~QueryServer();
  QueryServer(const QueryServer&) = delete;
  QueryServer& operator=(const QueryServer&) = delete;

  // Ends watches at once, lets other calls finish until the deadline, then cancels them. Returns
  // when no call is left. Later calls do nothing.
  void Shutdown(std::chrono::milliseconds deadline);

  // The port behind each address of Options.listen; 1 for unix sockets (as gRPC says).
  const std::vector<int>& ports() const { return ports_; }
  std::shared_ptr<grpc::Channel> InProcessChannel();

 private:
  struct Rooms;  // queues, hub and services: what the server calls

  explicit QueryServer(std::unique_ptr<Rooms> rooms);
  Status Serve(const Options& options);
  Status CheckListening(const Options& options) const;

  const std::unique_ptr<Rooms> rooms_;
  std::vector<int> ports_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace oombox
