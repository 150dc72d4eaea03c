#include "tools/memhog/json.h"

#include <fmt/format.h>

namespace oombox {
namespace {

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + '"';
}

}  // namespace

JsonObject& JsonObject::Raw(std::string_view key, std::string_view json) {
  members_ += (members_.empty() ? "" : ",") + Quoted(key) + ":";
  members_ += json;
  return *this;
}

JsonObject& JsonObject::Text(std::string_view key, std::string_view value) {
  return Raw(key, Quoted(value));
}

JsonObject& JsonObject::Number(std::string_view key, int64_t value) {
  return Raw(key, std::to_string(value));
}

JsonObject& JsonObject::Unsigned(std::string_view key, uint64_t value) {
  return Raw(key, std::to_string(value));
}

JsonObject& JsonObject::Optional(std::string_view key, const std::optional<uint64_t>& value) {
  return Raw(key, value ? std::to_string(*value) : "null");
}

JsonObject& JsonObject::Bool(std::string_view key, bool value) {
  return Raw(key, value ? "true" : "false");
}

JsonObject& JsonObject::Object(std::string_view key, const JsonObject& value) {
  return Raw(key, value.ToString());
}

JsonObject& JsonObject::Array(std::string_view key, const std::vector<JsonObject>& values) {
  std::string json;
  for (const JsonObject& value : values) {
    json += (json.empty() ? "" : ",") + value.ToString();
  }
  return Raw(key, "[" + json + "]");
}

}  // namespace oombox
