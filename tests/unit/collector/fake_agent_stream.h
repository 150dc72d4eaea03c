#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "tools/collector/agent_link.h"

namespace oombox {

// The stream below a link, played by a test: it records what the link does. Messages that the link
// writes count as sent at once, unless they are held. Thread-safe.
class FakeAgentStream final : public AgentStream {
 public:
  explicit FakeAgentStream(std::shared_ptr<AgentLink> link) : link_(std::move(link)) {
    link_->OnOpen(this);
  }
  ~FakeAgentStream() override { link_->OnDone(); }

  void Read() override {
    std::lock_guard lock(mutex_);
    reads_due_ = true;
    changed_.notify_all();
  }
  void Write(v1::IngestResponse response) override {
    std::lock_guard lock(mutex_);
    written_.push_back(std::move(response));
    write_due_ = true;
    changed_.notify_all();
  }
  void Finish(const Status& status) override {
    std::lock_guard lock(mutex_);
    finished_ = status;
    changed_.notify_all();
  }

  // True when the link has asked for a message.
  bool reading() {
    std::lock_guard lock(mutex_);
    return reads_due_;
  }
  // Hands over a message when the link reads; false when it does not.
  bool Give(v1::IngestRequest request) {
    {
      std::lock_guard lock(mutex_);
      if (!reads_due_) {
        return false;
      }
      reads_due_ = false;
    }
    link_->OnRequest(std::move(request));
    return true;
  }
  void HalfClose() {
    {
      std::lock_guard lock(mutex_);
      reads_due_ = false;
    }
    link_->OnHalfClose();
  }
  // The message that was written last has left.
  void CompleteWrite() {
    {
      std::lock_guard lock(mutex_);
      if (!write_due_) {
        return;
      }
      write_due_ = false;
    }
    link_->OnWritten();
  }

  // Completes writes until the link acknowledges `seq`, which it returns; 0 after 10 s.
  uint64_t AwaitAck(uint64_t seq) {
    while (true) {
      CompleteWrite();
      std::unique_lock lock(mutex_);
      for (const v1::IngestResponse& response : written_) {
        if (response.has_ack() && response.ack().seq() >= seq) {
          return response.ack().seq();
        }
      }
      if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return write_due_; })) {
        return 0;
      }
    }
  }
  // Completes writes until the stream is finished; kGone after 10 s.
  Status AwaitFinish() {
    while (true) {
      CompleteWrite();
      std::unique_lock lock(mutex_);
      const bool news = changed_.wait_for(lock, std::chrono::seconds(10),
                                          [this] { return finished_ || write_due_; });
      if (finished_) {
        return *finished_;
      }
      if (!news) {
        return MakeError(ErrorCode::kGone, "never finished");
      }
    }
  }
  bool AwaitReading() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return reads_due_; });
  }
  std::vector<v1::IngestResponse> written() {
    std::lock_guard lock(mutex_);
    return written_;
  }
  std::vector<v1::RejectedEvent> rejected() {
    std::lock_guard lock(mutex_);
    std::vector<v1::RejectedEvent> rejected;
    for (const v1::IngestResponse& response : written_) {
      rejected.insert(rejected.end(), response.ack().rejected().begin(),
                      response.ack().rejected().end());
    }
    return rejected;
  }

 private:
  const std::shared_ptr<AgentLink> link_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reads_due_ = false;
  bool write_due_ = false;
  std::vector<v1::IngestResponse> written_;
  std::optional<Status> finished_;
};

}  // namespace oombox
