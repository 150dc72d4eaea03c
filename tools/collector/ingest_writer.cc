#include "tools/collector/ingest_writer.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace oombox {

namespace {

// One transaction: enough to share the fsync, short enough that nobody waits long.
constexpr size_t kMaxRoundEvents = 512;
constexpr size_t kMaxRoundBytes = 8 << 20;

}  // namespace

IngestWriter::IngestWriter(EventStore& store, CoverageBook& coverage,
                           std::function<int64_t()> wall_now)
    : store_(store), coverage_(coverage), wall_now_(std::move(wall_now)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  pthread_setname_np(thread_.native_handle(), "ingest-writer");
}

IngestWriter::~IngestWriter() { Stop(); }

void IngestWriter::Ready(std::shared_ptr<AgentLink> link) {
  std::lock_guard lock(mutex_);
  if (waiting_.insert(link.get()).second) {
    ready_.push_back(std::move(link));
    changed_.notify_one();
  }
}

void IngestWriter::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void IngestWriter::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Commit(NextRound(stop));
  }
}

std::vector<LinkBatch> IngestWriter::NextRound(const std::stop_token& stop) {
  std::vector<LinkBatch> batches;
  size_t events = 0;
  size_t bytes = 0;
  while (events < kMaxRoundEvents && bytes < kMaxRoundBytes) {
    std::shared_ptr<AgentLink> link;
    {
      std::unique_lock lock(mutex_);
      if (batches.empty()) {
        changed_.wait(lock, stop, [this] { return !ready_.empty(); });
      }
      if (ready_.empty() || stop.stop_requested()) {
        break;
      }
      link = std::move(ready_.front());
      ready_.pop_front();
      waiting_.erase(link.get());
    }
    LinkBatch batch = link->Take();
    if (batch.events.empty() && !batch.report) {
      continue;
    }
    events += batch.events.size();
    for (const QueuedEvent& queued : batch.events) {
      bytes += queued.bytes;
    }
    bytes += batch.report ? batch.report->bytes : 0;
    batches.push_back(std::move(batch));
  }
  return batches;
}

void IngestWriter::Commit(std::vector<LinkBatch> batches) {
  if (batches.empty()) {
    return;
  }
  const auto begin = std::chrono::steady_clock::now();
  IngestCounts::Round round;
  const Status stored = StoreEvents(batches, &round.stored);
  round.failed = !stored;
  round.duration = std::chrono::steady_clock::now() - begin;
  Count(batches, round);
  for (const LinkBatch& batch : batches) {
    if (stored) {
      NoteCommitted(batch);
      batch.link->Committed(batch);
    } else if (!batch.events.empty()) {
      batch.link->Failed(batch, Error{ErrorCode::kUnavailable,
                                      "the collector cannot store: " + stored.error().message, 0});
    }
  }
  StoreReports(batches);
  for (const LinkBatch& batch : batches) {
    batch.link->ReportDone(batch);
  }
}

void IngestWriter::Count(const std::vector<LinkBatch>& batches, IngestCounts::Round round) {
  for (const LinkBatch& batch : batches) {
    round.received += batch.events.size();
    round.rejected += static_cast<uint64_t>(
        std::count_if(batch.events.begin(), batch.events.end(),
                      [](const QueuedEvent& queued) { return !queued.rejection.empty(); }));
  }
  if (round.received > 0) {
    counts_.Add(round);
  }
}

Status IngestWriter::StoreEvents(std::vector<LinkBatch>& batches, uint64_t* stored_events) {
  std::vector<QueuedEvent*> queued;
  std::vector<v1::Event> events;
  for (LinkBatch& batch : batches) {
    for (QueuedEvent& event : batch.events) {
      if (event.rejection.empty()) {
        queued.push_back(&event);
        events.push_back(std::move(event.event));
      }
    }
  }
  if (events.empty()) {
    return {};
  }
  const auto put = store_.Put(events, std::nullopt);
  *stored_events = put.value_or(0);
  Status stored = put ? Status{} : Status(tl::unexpect, put.error());
  if (!stored && stored.error().code == ErrorCode::kInvalid) {
    stored = StoreSingly(queued, events, stored_events);
  }
  NoteHealth(stored);
  return stored;
}

// One event that the store does not take must not hold up the others of the group.
Status IngestWriter::StoreSingly(std::vector<QueuedEvent*>& queued, std::vector<v1::Event>& events,
                                 uint64_t* stored_events) {
  for (size_t i = 0; i < events.size(); ++i) {
    const auto stored = store_.Put(std::span(&events[i], 1), std::nullopt);
    if (!stored && stored.error().code != ErrorCode::kInvalid) {
      return tl::unexpected<Error>(stored.error());
    }
    *stored_events += stored.value_or(0);
    if (!stored) {
      queued[i]->rejection = stored.error().message;
      queued[i]->event.set_event_id(events[i].event_id());
    }
  }
  return {};
}

void IngestWriter::NoteCommitted(const LinkBatch& batch) {
  if (!batch.events.empty()) {
    const CoverageBook::Key key{batch.link->node().cluster_name(), batch.link->node().node_name()};
    for (const QueuedEvent& queued : batch.events) {
      if (!queued.rejection.empty()) {
        coverage_.NoteRefused(key, batch.link->store_epoch(), queued.seq);
      }
    }
    coverage_.NoteCommitted(key, batch.link->store_epoch(), batch.events.back().seq);
  }
}

void IngestWriter::StoreReports(std::vector<LinkBatch>& batches) {
  std::vector<EventStore::StoredReport> reports;
  for (LinkBatch& batch : batches) {
    if (batch.report) {
      counts_.AddReport();
      reports.push_back({std::move(batch.report->report), wall_now_()});
    }
  }
  if (reports.empty()) {
    return;
  }
  const Status stored = store_.PutReports(reports);
  NoteHealth(stored);
  if (stored) {
    coverage_.Load(reports);
  }
}

void IngestWriter::NoteHealth(const Status& status) {
  if (!status && !failing_) {
    spdlog::error("cannot store: {}; the agents keep their events and send them again",
                  status.error().message);
  } else if (status && failing_) {
    spdlog::info("the store works again");
  }
  failing_ = !status;
}

}  // namespace oombox
