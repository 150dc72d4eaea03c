#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/filter.h"

namespace oombox {

enum class FilterField {
  kId,
  kKind,
  kTime,
  kNode,
  kCluster,
  kCgroup,
  kComm,
  kWorkload,
  kTgid,
  kNamespace,
  kPod,
  kContainer,
  kOwner,
  kImage,
  kQos
};
enum class FilterOperator {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kContains
};

// Name in the language and column in the table.
const char* FieldName(FilterField field);
// Nothing when no field is called so.
std::optional<FilterField> FieldCalled(std::string_view name);
// "id, kind, ..."
std::string FieldNames();
// Numbers compare as numbers, everything else by bytes.
bool IsInteger(FilterField field);

// A parsed filter: either a comparison or and/or/not over children.
struct Filter::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare };
  Kind kind = Kind::kCompare;
  std::vector<std::unique_ptr<Node>> children;

  FilterField field = FilterField::kId;
  FilterOperator op = FilterOperator::kEqual;
  std::string text;
  int64_t integer = 0;
};

}  // namespace oombox
