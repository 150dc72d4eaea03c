#include "tools/oombox/json_splitter.h"

namespace oombox {

namespace {

constexpr size_t kMaxObjectBytes = 64ull << 20;

}  // namespace

Result<std::optional<JsonValue>> JsonSplitter::Next() {
  for (; at_ < text_.size(); ++at_) {
    switch (text_[at_]) {
      case '\n':
        ++line_;
        break;
      case ' ':
      case '\t':
      case '\r':
      case ',':
        break;
      case '[':
        ++open_arrays_;
        break;
      case ']':
        if (open_arrays_ == 0) {
          return MakeError(ErrorCode::kCorrupt, "line {}: \"]\" without \"[\"", line_);
        }
        --open_arrays_;
        break;
      case '{':
        return TakeObject();
      default:
        return MakeError(ErrorCode::kCorrupt,
                         "line {}: no JSON object begins here (saved events are what -o json or "
                         "-o jsonl prints)",
                         line_);
    }
  }
  if (open_arrays_ > 0) {
    return MakeError(ErrorCode::kCorrupt,
                     "line {}: the file ends inside an array: it was cut short", line_);
  }
  return std::nullopt;
}

Result<std::optional<JsonValue>> JsonSplitter::TakeObject() {
  const size_t start = at_;
  const size_t start_line = line_;
  size_t depth = 0;
  bool in_string = false;
  for (; at_ < text_.size() && at_ - start < kMaxObjectBytes; ++at_) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
    }
    if (in_string) {
      if (c == '\\') {
        ++at_;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      ++at_;
      return JsonValue{text_.substr(start, at_ - start), start_line};
    }
  }
  return MakeError(ErrorCode::kCorrupt, "line {}: an object begins here and never ends",
                   start_line);
}

}  // namespace oombox
