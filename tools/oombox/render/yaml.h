#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace oombox {

// YAML with the names of the .proto files, in their order, numbers as numbers (protobuf's JSON, the
// other way to write it, quotes 64-bit ones and a Struct loses their last digits and the order).
// Times are RFC 3339, durations end in "s". Absent fields are left out.
std::string ToYaml(const google::protobuf::Message& message);

// `text` as a scalar: plain where no reader can take it for anything else, else in double quotes.
std::string YamlScalar(std::string_view text);

}  // namespace oombox
