#include "tools/oombox/render/json.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

namespace oombox {

Result<std::string> ToJson(const google::protobuf::Message& message, JsonLayout layout) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = layout == JsonLayout::kIndented;
  const google::protobuf::LogSilencer quiet;  // a failure is told once, by the caller
  std::string text;
  if (const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
      !status.ok()) {
    return MakeError(ErrorCode::kInternal, "cannot write JSON: {}\ntry: another format (-o)",
                     std::string(status.message().data(), status.message().size()));
  }
  if (!text.ends_with('\n')) {
    text += '\n';
  }
  return text;
}

}  // namespace oombox
