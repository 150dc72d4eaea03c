#include "agent/uplink/uplink.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "agent/common/clock.h"

namespace oombox {

namespace {

using Clock = std::chrono::steady_clock;

// A stream that broke has its status on the way.
constexpr std::chrono::milliseconds kStatusGrace{1000};

}  // namespace

Uplink::Uplink(EventStore& store, CollectorTransport& transport, Options options)
    : store_(store), transport_(transport), options_(std::move(options)) {}

Uplink::~Uplink() { Stop(); }

void Uplink::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  pthread_setname_np(thread_.native_handle(), "oombox-uplink");
}

void Uplink::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

UplinkStatus Uplink::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void Uplink::Pause(const std::stop_token& stop, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
}

void Uplink::Run(const std::stop_token& stop) {
  const auto subscription = store_.Subscribe([this] { mailbox_.Wake(); });
  Backoff backoff(options_.backoff, options_.random);
  size_t turn = 0;
  while (!stop.stop_requested()) {
    const std::string& address = options_.collectors[turn % options_.collectors.size()];
    const auto begin = Clock::now();
    const Attempt attempt = Try(stop, address);
    if (stop.stop_requested()) {
      break;
    }
    NoteLost(address, attempt.cause);
    if (attempt.progressed || Clock::now() - begin >= options_.backoff.max) {
      backoff.Reset();
    }
    turn += attempt.healthy ? 0 : 1;
    options_.pause(stop, backoff.Next());
  }
  std::lock_guard lock(mutex_);
  status_.connected_to.clear();
}

Uplink::Attempt Uplink::Try(const std::stop_token& stop, const std::string& address) {
  mailbox_.Reset();
  {
    std::lock_guard lock(mutex_);
    ++status_.attempts;
  }
  auto stream = transport_.Open(address, mailbox_);
  if (!stream) {
    return {std::move(stream).error()};
  }
  Session session(store_, options_.session, counts_, Clock::now());
  Status end = Pump(stop, address, **stream, session);
  Attempt attempt;
  attempt.progressed = session.progressed();
  attempt.healthy = session.greeted() && (session.progressed() || session.in_flight() == 0);
  attempt.cause = end ? Error{ErrorCode::kUnavailable, "the collector ended the stream", 0}
                      : std::move(end).error();
  return attempt;
}

Status Uplink::Pump(const std::stop_token& stop, const std::string& address,
                    CollectorStream& stream, Session& session) {
  while (!stop.stop_requested()) {
    OOMBOX_RETURN_IF_ERROR(Step(address, stream, session));
    Publish(address, session);
    if (mailbox_.broken()) {
      return Leave(stream, session, kStatusGrace);
    }
    mailbox_.Wait(stop, session.Deadline(mailbox_.has_turn()));
  }
  return Drain(stream, session);
}

Status Uplink::Step(const std::string& address, CollectorStream& stream, Session& session) {
  while (session.CanReceive()) {
    const auto response = mailbox_.Take();
    if (!response) {
      break;
    }
    OOMBOX_RETURN_IF_ERROR(session.Receive(*response, Clock::now()));
  }
  Publish(address, session);  // before the report that follows a greeting: it names the collector
  if (mailbox_.TakeResume()) {
    stream.ReadOn();
  }
  OOMBOX_RETURN_IF_ERROR(session.CheckOverdue(Clock::now()));
  if (!mailbox_.has_turn()) {
    return {};
  }
  OOMBOX_TRY(auto request, session.Next(Clock::now()));
  if (request) {
    mailbox_.TakeTurn();
    stream.Send(std::move(*request));
  }
  return {};
}

// Nothing more is sent; what was sent may still be acknowledged, so that it is not sent again.
Status Uplink::Drain(CollectorStream& stream, Session& session) {
  const auto deadline = Clock::now() + options_.stop_grace;
  bool half_closed = false;
  while (!mailbox_.broken() && Clock::now() < deadline) {
    if (!half_closed && mailbox_.has_turn()) {
      stream.HalfClose();
      half_closed = true;
    }
    while (const auto response = mailbox_.Take()) {
      OOMBOX_RETURN_IF_ERROR(session.Receive(*response, Clock::now()));
    }
    if (mailbox_.TakeResume()) {
      stream.ReadOn();
    }
    mailbox_.Wait({}, deadline);
  }
  return Leave(stream, session, std::chrono::milliseconds::zero());
}

// A stream may be known as broken, by what was written, before its last acknowledgements are here.
Status Uplink::Leave(CollectorStream& stream, Session& session, std::chrono::milliseconds grace) {
  Status end = stream.Finish(grace);
  while (const auto response = mailbox_.Take()) {
    OOMBOX_RETURN_IF_ERROR(session.Receive(*response, Clock::now()));
  }
  return end;
}

void Uplink::Publish(const std::string& address, const Session& session) {
  bool connected_now = false;
  {
    std::lock_guard lock(mutex_);
    status_.events = counts_;
    if (session.greeted() && status_.connected_to.empty()) {
      connected_now = true;
      status_.connected_to = address;
      ++status_.connects;
    }
  }
  if (session.progressed() || (connected_now && !EventsWait())) {
    NoteDelivering(address);
  }
}

// A store that does not answer says nothing of what waits; its own stage tells of that.
bool Uplink::EventsWait() {
  const auto bounds = store_.Bounds();
  const auto acknowledged = store_.Acknowledged();
  return bounds && acknowledged && bounds->last > std::max(bounds->evicted, acknowledged->second);
}

void Uplink::NoteDelivering(const std::string& address) {
  if (told_ == Told::kDelivering) {
    return;
  }
  told_ = Told::kDelivering;
  {
    std::lock_guard lock(mutex_);
    status_.stalled_boottime_ns = 0;
  }
  spdlog::info("connected to collector={}", address);
}

void Uplink::NoteLost(const std::string& address, const Error& cause) {
  const bool stalled = EventsWait();
  {
    std::lock_guard lock(mutex_);
    status_.events = counts_;
    if (stalled && status_.stalled_boottime_ns == 0) {
      status_.stalled_boottime_ns = BootNowNs();
    }
    status_.connected_to.clear();
    status_.last_error = fmt::format("{}: {}", address, cause.message);
  }
  const auto level = told_ == Told::kLost ? spdlog::level::debug : spdlog::level::warn;
  spdlog::log(level,
              "collector={} not connected: {}; events are kept here and sent when it is back",
              address, cause.message);
  told_ = Told::kLost;
}

}  // namespace oombox
