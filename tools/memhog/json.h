#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oombox {

// One JSON object, written member by member. Strings must be valid UTF-8. An absent optional is
// null.
class JsonObject {
 public:
  JsonObject& Text(std::string_view key, std::string_view value);
  JsonObject& Number(std::string_view key, int64_t value);
  JsonObject& Unsigned(std::string_view key, uint64_t value);
  JsonObject& Optional(std::string_view key, const std::optional<uint64_t>& value);
  JsonObject& Bool(std::string_view key, bool value);
  JsonObject& Object(std::string_view key, const JsonObject& value);
  JsonObject& Array(std::string_view key, const std::vector<JsonObject>& values);

  std::string ToString() const { return "{" + members_ + "}"; }

 private:
  JsonObject& Raw(std::string_view key, std::string_view json);

  std::string members_;
};

}  // namespace oombox
