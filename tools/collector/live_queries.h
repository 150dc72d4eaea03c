#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "agent/common/result.h"
#include "oombox/v1/ingest.pb.h"
#include "tools/collector/agent_link.h"

namespace oombox {

// Questions to connected agents that wait for their answer. Thread-safe.
class LiveQueries {
 public:
  // Blocks until the agent has answered, has left (kUnavailable) or `timeout` has passed
  // (kUnavailable).
  Result<v1::NodeReport> AskReport(AgentLink& link, std::chrono::milliseconds timeout);

  // Ignored unless this agent was asked this question.
  void Answer(const AgentLink& link, const v1::QueryResult& result);
  void Abandon(const AgentLink& link);

 private:
  struct Pending {
    const AgentLink* link = nullptr;
    std::optional<Result<v1::NodeReport>> answer;
  };

  std::mutex mutex_;
  std::condition_variable answered_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Pending> pending_;
};

}  // namespace oombox
