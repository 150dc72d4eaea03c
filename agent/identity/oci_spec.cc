#include "agent/identity/oci_spec.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <initializer_list>
#include <vector>

#include "agent/identity/knobs.h"

namespace oombox {

namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// A spec has some 20 KiB. Parsed it takes many times its size, and whoever makes a pod decides how
// long its environment is.
constexpr size_t kMaxJson = size_t{512} << 10;

// Null when it is not there.
const Value* At(const Struct& object, std::initializer_list<const char*> path) {
  const Struct* in = &object;
  const Value* value = nullptr;
  for (const char* name : path) {
    if (in == nullptr) {
      return nullptr;
    }
    const auto found = in->fields().find(name);
    if (found == in->fields().end()) {
      return nullptr;
    }
    value = &found->second;
    in = value->has_struct_value() ? &value->struct_value() : nullptr;
  }
  return value;
}

std::vector<std::string> Strings(const Value* list) {
  std::vector<std::string> strings;
  if (list != nullptr) {
    for (const Value& value : list->list_value().values()) {
      strings.push_back(value.string_value());
    }
  }
  return strings;
}

// JSON numbers are doubles: exact below 2^53, which no memory reaches.
int64_t Number(const Value* value, int64_t otherwise) {
  constexpr double kExact = 9007199254740992.0;
  if (value == nullptr || !value->has_number_value() || value->number_value() < -kExact ||
      value->number_value() > kExact) {
    return otherwise;
  }
  return static_cast<int64_t>(value->number_value());
}

}  // namespace

void SetLimits(int64_t memory_limit_bytes, int64_t oom_score_adj, RuntimeContainer& container) {
  if (memory_limit_bytes > 0) {
    container.memory_limit_bytes = static_cast<uint64_t>(memory_limit_bytes);
  }
  if (oom_score_adj >= -1000 && oom_score_adj <= 1000) {
    container.oom_score_adj = static_cast<int32_t>(oom_score_adj);
  }
}

void AddSpec(const std::string& json, RuntimeContainer& container) {
  Struct info;
  if (json.size() > kMaxJson || !google::protobuf::util::JsonStringToMessage(json, &info).ok()) {
    return;
  }
  container.knobs = KnobsOf(Strings(At(info, {"runtimeSpec", "process", "args"})),
                            Strings(At(info, {"runtimeSpec", "process", "env"})));
  constexpr int64_t kNotSaid = 1'000'000;
  SetLimits(Number(At(info, {"runtimeSpec", "linux", "resources", "memory", "limit"}), 0),
            Number(At(info, {"runtimeSpec", "process", "oomScoreAdj"}), kNotSaid), container);
}

}  // namespace oombox
