#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/store/event_store.h"
#include "agent/uplink/backoff.h"
#include "agent/uplink/mailbox.h"
#include "agent/uplink/session.h"
#include "agent/uplink/transport.h"

namespace oombox {

struct UplinkStatus {
  std::string connected_to;  // empty: not connected
  std::string last_error;    // why the last stream ended or could not begin
  // Events have waited since, and an attempt has failed; 0: not so. A greeting ends it only when
  // nothing waits: a collector that greets and commits nothing is no help.
  uint64_t stalled_boottime_ns = 0;
  uint64_t attempts = 0;
  uint64_t connects = 0;
  DeliveryCounts events;
};

// Brings the events of the store to a collector, in order and at least once, and answers its
// questions. Owns one thread from Start to Stop (or destruction); status() is thread-safe. A
// collector that is absent, refuses or talks nonsense is tried again, the next address in turn,
// with growing pauses: it is told once in the log and never stops the agent. Stop is bounded by
// `stop_grace`.
class Uplink {
 public:
  struct Options {
    std::vector<std::string> collectors;  // at least one
    Session::Options session;
    Backoff::Options backoff;
    std::function<double()> random = SystemRandom();
    // The pause between two attempts; returns early when stop is requested.
    std::function<void(const std::stop_token&, std::chrono::milliseconds)> pause = Pause;
    std::chrono::milliseconds stop_grace{2000};
  };

  // Store and transport must outlive the uplink.
  Uplink(EventStore& store, CollectorTransport& transport, Options options);
  ~Uplink();

  void Start();
  void Stop();
  UplinkStatus status() const;

 private:
  // What the log knows.
  enum class Told { kNothing, kDelivering, kLost };
  // How an attempt went, for what comes next.
  struct Attempt {
    Error cause;
    bool healthy = false;     // the same collector is worth the next attempt
    bool progressed = false;  // it acknowledged something
  };

  static void Pause(const std::stop_token& stop, std::chrono::milliseconds duration);
  void Run(const std::stop_token& stop);
  Attempt Try(const std::stop_token& stop, const std::string& address);
  Status Pump(const std::stop_token& stop, const std::string& address, CollectorStream& stream,
              Session& session);
  Status Step(const std::string& address, CollectorStream& stream, Session& session);
  Status Drain(CollectorStream& stream, Session& session);
  Status Leave(CollectorStream& stream, Session& session, std::chrono::milliseconds grace);
  void Publish(const std::string& address, const Session& session);
  bool EventsWait();
  void NoteDelivering(const std::string& address);
  void NoteLost(const std::string& address, const Error& cause);

  EventStore& store_;
  CollectorTransport& transport_;
  const Options options_;
  Mailbox mailbox_;
  DeliveryCounts counts_;       // of the thread; status_ has a copy
  Told told_ = Told::kNothing;  // of the thread
  mutable std::mutex mutex_;    // guards status_
  UplinkStatus status_;
  std::jthread thread_;
};

}  // namespace oombox
