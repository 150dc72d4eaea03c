#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

struct JsonValue {
  std::string_view text;
  size_t line = 0;  // where it starts, from 1
};

// Cuts a text into its JSON objects: JSON lines, objects one after the other, or the elements of
// arrays. Only brackets and strings are looked at; the objects are for a parser to judge.
class JsonSplitter {
 public:
  explicit JsonSplitter(std::string_view text) : text_(text) {}

  // The next object, or nothing at the end. kCorrupt names the line.
  Result<std::optional<JsonValue>> Next();

 private:
  Result<std::optional<JsonValue>> TakeObject();

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t open_arrays_ = 0;
};

}  // namespace oombox
