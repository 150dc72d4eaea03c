#include "tools/collector/ingest_checks.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string_view>
#include <vector>

#include "agent/common/text.h"
#include "agent/store/event_store.h"

namespace oombox {

namespace {

constexpr size_t kMaxNameBytes = 253;  // a DNS name, as node and host names are
constexpr size_t kMaxIdBytes = 64;
constexpr int64_t kMaxSeconds = 9'000'000'000;  // the year 2255: nanoseconds fit 64 bits until 2262
constexpr int64_t kMaxDurationSeconds = 315'576'000'000;  // of duration.proto: 10 000 years
constexpr int32_t kMaxNanos = 999'999'999;

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

// What is wrong with a field, and where in its message.
struct Flaw {
  std::string path;
  std::string_view what;
};

// protobuf's JSON cannot write what is out of its range: one such event would break every list that
// has it.
bool IsInRange(const google::protobuf::Timestamp& time) {
  return time.seconds() >= 0 && time.seconds() <= kMaxSeconds && time.nanos() >= 0 &&
         time.nanos() <= kMaxNanos;
}

bool IsInRange(const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  const bool one_sign = (seconds >= 0 || nanos <= 0) && (seconds <= 0 || nanos >= 0);
  return one_sign && seconds >= -kMaxDurationSeconds && seconds <= kMaxDurationSeconds &&
         nanos >= -kMaxNanos && nanos <= kMaxNanos;
}

std::optional<Flaw> FlawOf(const Message& message);

std::optional<Flaw> FlawOf(const Message& message, const FieldDescriptor* field) {
  const auto& reflection = *message.GetReflection();
  const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
  for (int i = 0; i < count; ++i) {
    std::optional<Flaw> flaw;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      if (!IsPrintableUtf8(field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                                : reflection.GetString(message, field))) {
        flaw = Flaw{"", "is not printable UTF-8; an agent escapes what it sends"};
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      flaw = FlawOf(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                         : reflection.GetMessage(message, field));
    }
    if (flaw) {
      flaw->path = flaw->path.empty() ? field->name() : field->name() + "." + flaw->path;
      return flaw;
    }
  }
  return std::nullopt;
}

// Of every field in the message and below. The depth is that of the protos: they do not nest
// themselves.
std::optional<Flaw> FlawOf(const Message& message) {
  using google::protobuf::DynamicCastToGenerated;
  if (const auto* time = DynamicCastToGenerated<google::protobuf::Timestamp>(&message)) {
    return IsInRange(*time) ? std::nullopt : std::optional(Flaw{"", "is a time out of range"});
  }
  if (const auto* span = DynamicCastToGenerated<google::protobuf::Duration>(&message)) {
    return IsInRange(*span) ? std::nullopt : std::optional(Flaw{"", "is a duration out of range"});
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (auto flaw = FlawOf(message, field)) {
      return flaw;
    }
  }
  return std::nullopt;
}

Status CheckFields(const Message& message) {
  if (const auto flaw = FlawOf(message)) {
    return MakeError(ErrorCode::kInvalid, "{} {}", flaw->path, flaw->what);
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
  return CheckFields(event);
}

bool IsOversized(const v1::NodeReport& report) { return report.ByteSizeLong() > kMaxReportBytes; }

Status CheckReporter(const v1::NodeReport& report, const v1::NodeIdentity& speaker) {
  if (report.node().node_name() != speaker.node_name() ||
      report.node().cluster_name() != speaker.cluster_name()) {
    return MakeError(ErrorCode::kInvalid, "the report is of node \"{}\", but \"{}\" sent it",
                     Shown(report.node().node_name()), speaker.node_name());
  }
  return {};
}

Status CheckReport(const v1::NodeReport& report) { return CheckFields(report); }

}  // namespace oombox
