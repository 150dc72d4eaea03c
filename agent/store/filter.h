#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// A reconstructed kill whose real event turned up (OomEvent.superseded_by).
inline constexpr const char* kSupersededKind = "superseded";
// A SIGKILL to a container's init, a mark on a dying task (NoKillEvent): common, and seldom asked
// for.
inline constexpr const char* kNoKillKind = "no_kill";

// The indexed attributes of an event: all that a filter can ask for. Strings are escaped already.
struct EventAttributes {
  std::string id = {};
  std::string kind = {};  // "oom", "no_victim", "pressure", "gap", "no_kill", "superseded"
  int64_t time_ns = 0;
  std::string node = {};
  std::string cluster = {};
  std::string cgroup = {};  // the first victim's cgroup path
  std::string comm = {};    // the first victim's
  std::string workload = {};
  int64_t tgid = 0;  // the first victim's
  // Of its container, as far as known.
  std::string namespace_name = {};
  std::string pod = {};
  std::string container = {};
  std::string owner = {};
  std::string image = {};
  std::string qos = {};
};

EventAttributes AttributesOf(const v1::Event& event);

// A parsed filter string, the subset of AIP-160 that query.proto documents. Immutable, cheap to
// copy. Events of the kinds superseded and no_kill match only a filter that names a kind of these.
// The same filter selects in SQL (List) and in memory (watch, saved files); a test holds the two
// together.
class Filter {
 public:
  // Matches everything of the kinds that need not be named.
  Filter() = default;

  // kInvalid with the position ("filter, character 12: ...") when it makes no sense. At most 4 KiB
  // and 64 comparisons.
  static Result<Filter> Parse(std::string_view text);

  bool Matches(const EventAttributes& attributes) const;
  bool empty() const { return root_ == nullptr; }

  // A condition for WHERE over the columns named like the fields, with ? for every value in order.
  struct SqlValue {
    bool is_integer = false;
    int64_t integer = 0;
    std::string text;
  };
  struct Sql {
    std::string condition;
    std::vector<SqlValue> values;
  };
  Sql ToSql() const;

  struct Node;  // defined in filter.cc

 private:
  std::shared_ptr<const Node> root_;
  bool names_hidden_ = false;
};

}  // namespace oombox
