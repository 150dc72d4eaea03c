#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/server.h>

#include "oombox/v1/ingest.grpc.pb.h"

namespace oombox {

// A collector that misbehaves as told, on an address of its own. It keeps events in memory by id
// and revision, as a real one would. Thread-safe. Serves from construction until Stop or
// destruction.
class FakeCollector final : public v1::IngestService::CallbackService {
 public:
  enum class Nonsense {
    kAckBeyondSent,
    kAckOfAnotherStore,
    kAckWithoutEpoch,
    kQueryBeforeGreeting
  };

  explicit FakeCollector(std::string address);
  ~FakeCollector() override;

  // Stops listening and ends all streams; Serve listens again. What was kept stays.
  void Stop();
  void Serve();

  // The next `streams` streams end with UNAVAILABLE after their hello.
  void RefuseStreams(int streams);
  // The next `streams` streams break after `events` events, the last of them kept but not
  // acknowledged.
  void DropAfter(int events, int streams);
  // The next streams say this instead of what they should, one each.
  void Say(std::vector<Nonsense> nonsense);
  // Acknowledgements wait until Release.
  void HoldAcks();
  void ReleaseAcks();
  // Events with this id are refused for good.
  void Reject(const std::string& event_id);
  // Takes what was refused from the next stream on, as another version.
  void Upgrade();
  // As if the store had been replaced: all is forgotten; running streams acknowledge in its name.
  void ReplaceStore(const std::string& epoch);
  // Asks every connected agent; unknown questions have no question set.
  void AskReport(uint64_t query_id);
  void AskUnknown(uint64_t query_id);

  // Waits up to 20 s for `done`, which is asked under the lock after every message; false: timed
  // out.
  bool Await(const std::function<bool()>& done);

  // Under Await, or when nothing runs any more.
  std::map<std::string, uint32_t> events;  // revision by id
  std::vector<v1::Hello> hellos;
  std::vector<v1::NodeReport> reports;
  std::vector<v1::QueryResult> answers;
  uint64_t events_received = 0;      // repetitions included
  uint64_t most_unacknowledged = 0;  // of one stream
  int open_streams = 0;

  grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* Ingest(
      grpc::CallbackServerContext* context) override;

 private:
  class Stream;
  friend class Stream;

  const std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string epoch_ = "collector-1";
  int refuse_streams_ = 0;
  int drop_after_ = 0;
  int drop_streams_ = 0;
  std::vector<Nonsense> nonsense_;
  bool hold_acks_ = false;
  std::set<std::string> rejected_;
  std::string version_ = "1";
  std::set<Stream*> streams_;
};

}  // namespace oombox
