#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

#include "agent/uplink/transport.h"

namespace oombox {

// What the stream's threads and the store's leave for the uplink's thread, which waits here.
// Thread-safe. Bounded: a full mailbox makes the stream stop reading.
class Mailbox final : public StreamObserver {
 public:
  static constexpr size_t kCapacity = 32;

  bool OnResponse(v1::IngestResponse response) override;
  void OnWritten() override;
  void OnBroken() override;

  // Something outside the stream is new (rows in the store).
  void Wake();

  // Returns when anything above happened since the last Wait, at `deadline`, or when `stop` is
  // requested.
  void Wait(const std::stop_token& stop, std::chrono::steady_clock::time_point deadline);

  // The oldest response; none when there is none.
  std::optional<v1::IngestResponse> Take();
  // True once after the stream was told to stop reading and there is room again.
  bool TakeResume();
  // A message may be sent: at the beginning and after each OnWritten, until TakeTurn.
  bool has_turn() const;
  void TakeTurn();
  bool broken() const;

  // Forgets the last stream, before the next one opens.
  void Reset();

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<v1::IngestResponse> responses_;
  bool news_ = false;
  bool paused_ = false;
  bool turn_ = true;
  bool broken_ = false;
};

}  // namespace oombox
