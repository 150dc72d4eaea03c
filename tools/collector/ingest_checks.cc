#include "tools/collector/ingest_checks.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <vector>

#include "agent/common/text.h"
#include "agent/store/event_store.h"

namespace oombox {

namespace {

constexpr size_t kMaxNameBytes = 253;  // a DNS name, as node and host names are
constexpr size_t kMaxIdBytes = 64;
constexpr int64_t kMaxSeconds = 9'000'000'000;  // the year 2255: nanoseconds fit 64 bits until 2262

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

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsPrintable(const Message& message);

bool IsPrintable(const Message& message, const FieldDescriptor* field) {
  const auto& reflection = *message.GetReflection();
  const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (!IsPrintableUtf8(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                                : reflection.GetString(message, field))) {
        return false;
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!IsPrintable(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                            : reflection.GetMessage(message, field))) {
        return false;
      }
    }
  }
  return true;
}

// Every string in the message and below. The depth is that of the protos: they do not nest
// themselves.
bool IsPrintable(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return std::all_of(fields.begin(), fields.end(),
                     [&](const FieldDescriptor* field) { return IsPrintable(message, field); });
}

Status CheckPrintable(const Message& message) {
  if (!IsPrintable(message)) {
    return MakeError(ErrorCode::kInvalid,
                     "a text in it is not printable UTF-8; an agent escapes what it sends");
  }
  return {};
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

// The event says itself which node it is of: that may be an earlier name, boot or cluster of the
// speaker.
Status CheckEvent(const v1::Event& event) {
  OOMBOX_RETURN_IF_ERROR(CheckStorable(event));
  if (event.body_case() == v1::Event::BODY_NOT_SET) {
    return MakeError(ErrorCode::kInvalid,
                     "the event has no body this collector knows: upgrade the collector");
  }
  const google::protobuf::Timestamp& time = event.event_time();
  if (time.seconds() < 0 || time.seconds() > kMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return MakeError(ErrorCode::kInvalid, "the event's time is out of range");
  }
  return CheckPrintable(event);
}

bool IsOversized(const v1::NodeReport& report) { return report.ByteSizeLong() > kMaxReportBytes; }

Status CheckReport(const v1::NodeReport& report, const v1::NodeIdentity& speaker) {
  if (report.node().node_name() != speaker.node_name() ||
      report.node().cluster_name() != speaker.cluster_name()) {
    return MakeError(ErrorCode::kInvalid, "the report is of node \"{}\", but \"{}\" sent it",
                     Shown(report.node().node_name()), speaker.node_name());
  }
  return CheckPrintable(report);
}

}  // namespace oombox
