#include "tools/collector/live_queries.h"

#include <utility>

#include "agent/common/text.h"

namespace oombox {

namespace {

constexpr size_t kMaxErrorBytes = 512;

Result<v1::NodeReport> ReportOf(const v1::QueryResult& result) {
  if (!result.error().empty()) {
    return MakeError(ErrorCode::kInternal, "the agent cannot tell: {}",
                     EscapeUntrusted(result.error().substr(0, kMaxErrorBytes)));
  }
  if (!result.has_report()) {
    return MakeError(ErrorCode::kInternal, "the agent sent no report");
  }
  return result.report();
}

}  // namespace

Result<v1::NodeReport> LiveQueries::AskReport(AgentLink& link, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  v1::Query query;
  query.mutable_report();
  {
    std::lock_guard lock(mutex_);
    query.set_query_id(next_id_++);
    pending_[query.query_id()].link = &link;
  }
  // Not under the lock: the link's lock comes before this one nowhere, and after it nowhere.
  const Status asked = link.Ask(query);

  std::unique_lock lock(mutex_);
  Pending& pending = pending_.at(query.query_id());
  if (asked) {
    answered_.wait_until(lock, deadline, [&] { return pending.answer.has_value(); });
  }
  auto answer = std::move(pending.answer);
  pending_.erase(query.query_id());
  if (!asked) {
    return tl::unexpected<Error>(asked.error());
  }
  if (!answer) {
    return MakeError(ErrorCode::kUnavailable, "node {} did not answer within {} ms",
                     link.node().node_name(), timeout.count());
  }
  return std::move(*answer);
}

void LiveQueries::Answer(const AgentLink& link, const v1::QueryResult& result) {
  std::lock_guard lock(mutex_);
  const auto found = pending_.find(result.query_id());
  if (found != pending_.end() && found->second.link == &link) {
    found->second.answer = ReportOf(result);
    answered_.notify_all();
  }
}

void LiveQueries::Abandon(const AgentLink& link) {
  std::lock_guard lock(mutex_);
  for (auto& [id, pending] : pending_) {
    if (pending.link == &link && !pending.answer) {
      pending.answer =
          MakeError(ErrorCode::kUnavailable, "node {} has disconnected", link.node().node_name());
    }
  }
  answered_.notify_all();
}

}  // namespace oombox
