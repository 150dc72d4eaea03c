#include "tools/collector/ingest_checks.h"

#include "agent/common/text.h"
#include "agent/store/event_store.h"

namespace oombox {

namespace {

constexpr size_t kMaxNameBytes = 253;  // a DNS name, as node and host names are
constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxReportBytes = 1 << 20;

Status CheckText(const char* what, const std::string& text, size_t max_bytes) {
  if (text.size() > max_bytes || !IsPrintableUtf8(text)) {
    return MakeError(ErrorCode::kInvalid, "{} is not printable UTF-8 of at most {} bytes", what,
                     max_bytes);
  }
  return {};
}

Status CheckGiven(const char* what, const std::string& text, size_t max_bytes) {
  if (text.empty()) {
    return MakeError(ErrorCode::kInvalid, "{} is missing", what);
  }
  return CheckText(what, text, max_bytes);
}

// For messages: a foreign name may be anything.
std::string Shown(const std::string& name) {
  return EscapeUntrusted(name.substr(0, kMaxNameBytes));
}

}  // namespace

Status CheckHello(const v1::Hello& hello) {
  OOMBOX_RETURN_IF_ERROR(
      CheckGiven("hello.node.node_name", hello.node().node_name(), kMaxNameBytes));
  OOMBOX_RETURN_IF_ERROR(
      CheckText("hello.node.cluster_name", hello.node().cluster_name(), kMaxNameBytes));
  OOMBOX_RETURN_IF_ERROR(CheckText("hello.node.boot_id", hello.node().boot_id(), kMaxIdBytes));
  OOMBOX_RETURN_IF_ERROR(CheckText("hello.agent_version", hello.agent_version(), kMaxIdBytes));
  return CheckGiven("hello.store_epoch", hello.store_epoch(), kMaxIdBytes);
}

Status CheckPlace(const v1::EventEnvelope& envelope, const std::string& store_epoch,
                  uint64_t last_seq) {
  if (envelope.store_epoch() != store_epoch) {
    return MakeError(ErrorCode::kInvalid, "an event is of another store than the hello said");
  }
  if (envelope.seq() <= last_seq) {
    return MakeError(ErrorCode::kInvalid, "seq {} came after seq {}: they must grow",
                     envelope.seq(), last_seq);
  }
  return {};
}

Status CheckEvent(const v1::Event& event, const v1::NodeIdentity& speaker) {
  OOMBOX_RETURN_IF_ERROR(CheckStorable(event));
  if (event.body_case() == v1::Event::BODY_NOT_SET) {
    return MakeError(ErrorCode::kInvalid,
                     "the event has no body this collector knows: upgrade the collector");
  }
  // Boot and cluster may differ: an event can be older than the last boot or the last
  // configuration.
  if (event.node().node_name() != speaker.node_name()) {
    return MakeError(ErrorCode::kInvalid, "the event is of node \"{}\", but \"{}\" sent it",
                     Shown(event.node().node_name()), speaker.node_name());
  }
  return {};
}

Status CheckReport(const v1::NodeReport& report, const v1::NodeIdentity& speaker) {
  if (report.ByteSizeLong() > kMaxReportBytes) {
    return MakeError(ErrorCode::kInvalid, "the report is bigger than {} bytes", kMaxReportBytes);
  }
  if (report.node().node_name() != speaker.node_name() ||
      report.node().cluster_name() != speaker.cluster_name()) {
    return MakeError(ErrorCode::kInvalid, "the report is of node \"{}\", but \"{}\" sent it",
                     Shown(report.node().node_name()), speaker.node_name());
  }
  return {};
}

}  // namespace oombox
