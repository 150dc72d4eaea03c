#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "agent/common/result.h"

namespace oombox {

enum class JsonLayout { kOneLine, kIndented };

// protobuf's JSON with the names of the .proto files; ends with a newline. 64-bit numbers are
// strings, as protobuf's JSON wants it.
Result<std::string> ToJson(const google::protobuf::Message& message, JsonLayout layout);

}  // namespace oombox
