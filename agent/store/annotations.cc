#include "agent/store/annotations.h"

#include <algorithm>

#include "agent/common/text.h"

namespace oombox {

namespace {

constexpr size_t kMaxKeyBytes = 63;
constexpr size_t kMaxValueBytes = 1024;

bool IsKeyChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

}  // namespace

Status CheckAnnotations(const AnnotationList& set) {
  if (set.empty()) {
    return MakeError(ErrorCode::kInvalid, "no annotations given; give at least one key=value");
  }
  for (const auto& [key, value] : set) {
    if (key.empty() || key.size() > kMaxKeyBytes ||
        !std::all_of(key.begin(), key.end(), IsKeyChar)) {
      return MakeError(ErrorCode::kInvalid, "annotation key '{}' is not 1 to {} of a-z 0-9 _ . -",
                       EscapeUntrusted(key.substr(0, kMaxKeyBytes)), kMaxKeyBytes);
    }
    if (value.size() > kMaxValueBytes || !IsPrintableUtf8(value)) {
      return MakeError(ErrorCode::kInvalid,
                       "value of annotation '{}' must be printable UTF-8 of at most {} bytes", key,
                       kMaxValueBytes);
    }
  }
  return {};
}

void ApplyAnnotations(const AnnotationList& set, v1::Event* event) {
  if (!event->has_oom()) {
    return;
  }
  auto* annotations = event->mutable_oom()->mutable_annotations();
  for (const auto& [key, value] : set) {
    if (value.empty()) {
      annotations->erase(key);
    } else {
      (*annotations)[key] = value;
    }
  }
}

}  // namespace oombox
