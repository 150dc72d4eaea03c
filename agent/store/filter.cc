#include "agent/store/filter.h"

#include <algorithm>
#include <array>

#include "agent/common/text.h"
#include "agent/store/filter_node.h"
#include "agent/store/filter_parser.h"

namespace oombox {

namespace {

using Node = Filter::Node;

bool IsGlob(const Node& node) {
  const bool exact = node.op == FilterOperator::kEqual || node.op == FilterOperator::kNotEqual;
  return exact && !IsInteger(node.field) && node.text.find('*') != std::string::npos;
}

// An attribute that the event does not have (an empty text, tgid 0) is neither less nor greater.
bool IsOrder(FilterOperator op) {
  return op == FilterOperator::kLess || op == FilterOperator::kLessOrEqual ||
         op == FilterOperator::kGreater || op == FilterOperator::kGreaterOrEqual;
}

struct Field {
  FilterField field;
  const char* name;
  std::string EventAttributes::*text;  // null: a number
};

constexpr std::array kFields = {
    Field{FilterField::kId, "id", &EventAttributes::id},
    Field{FilterField::kKind, "kind", &EventAttributes::kind},
    Field{FilterField::kTime, "time", nullptr},
    Field{FilterField::kNode, "node", &EventAttributes::node},
    Field{FilterField::kCluster, "cluster", &EventAttributes::cluster},
    Field{FilterField::kNamespace, "namespace", &EventAttributes::namespace_name},
    Field{FilterField::kPod, "pod", &EventAttributes::pod},
    Field{FilterField::kContainer, "container", &EventAttributes::container},
    Field{FilterField::kOwner, "owner", &EventAttributes::owner},
    Field{FilterField::kImage, "image", &EventAttributes::image},
    Field{FilterField::kQos, "qos", &EventAttributes::qos},
    Field{FilterField::kCgroup, "cgroup", &EventAttributes::cgroup},
    Field{FilterField::kComm, "comm", &EventAttributes::comm},
    Field{FilterField::kWorkload, "workload", &EventAttributes::workload},
    Field{FilterField::kTgid, "tgid", nullptr},
};

const Field& Described(FilterField field) {
  return *std::find_if(kFields.begin(), kFields.end(),
                       [&](const Field& candidate) { return candidate.field == field; });
}

template <typename T>
bool Compare(FilterOperator op, const T& left, const T& right) {
  switch (op) {
    case FilterOperator::kEqual:
      return left == right;
    case FilterOperator::kNotEqual:
      return left != right;
    case FilterOperator::kLess:
      return left < right;
    case FilterOperator::kLessOrEqual:
      return left <= right;
    case FilterOperator::kGreater:
      return left > right;
    case FilterOperator::kGreaterOrEqual:
      return left >= right;
    case FilterOperator::kContains:
      break;
  }
  return false;
}

bool MatchesText(const Node& node, const std::string& text) {
  if (node.op == FilterOperator::kContains) {
    return text.find(node.text) != std::string::npos;
  }
  if (IsGlob(node)) {
    return GlobMatch(node.text, text) == (node.op == FilterOperator::kEqual);
  }
  return (!text.empty() || !IsOrder(node.op)) && Compare(node.op, text, node.text);
}

bool MatchesInteger(const Node& node, const EventAttributes& attributes) {
  if (node.field == FilterField::kTime) {
    return Compare(node.op, attributes.time_ns, node.integer);
  }
  return (attributes.tgid != 0 || !IsOrder(node.op)) &&
         Compare(node.op, attributes.tgid, node.integer);
}

bool MatchesNode(const Node& node, const EventAttributes& attributes) {
  const auto matches = [&](const std::unique_ptr<Node>& child) {
    return MatchesNode(*child, attributes);
  };
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case Node::Kind::kNot:
      return !matches(node.children.front());
    case Node::Kind::kCompare:
      break;
  }
  if (IsInteger(node.field)) {
    return MatchesInteger(node, attributes);
  }
  return MatchesText(node, attributes.*Described(node.field).text);
}

bool IsHidden(std::string_view kind) { return kind == kSupersededKind || kind == kNoKillKind; }

bool NamesHidden(const Node& node) {
  return (node.kind == Node::Kind::kCompare && node.field == FilterField::kKind &&
          IsHidden(node.text)) ||
         std::any_of(node.children.begin(), node.children.end(),
                     [](const auto& child) { return NamesHidden(*child); });
}

// For SQLite's GLOB, where ? and [ are special too (a class of one character makes them plain).
std::string EscapeGlob(std::string_view pattern) {
  std::string escaped;
  for (const char c : pattern) {
    if (c == '?' || c == '[') {
      escaped.append({'[', c, ']'});
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

const char* SqlOperator(FilterOperator op) {
  switch (op) {
    case FilterOperator::kEqual:
      return "=";
    case FilterOperator::kNotEqual:
      return "<>";
    case FilterOperator::kLess:
      return "<";
    case FilterOperator::kLessOrEqual:
      return "<=";
    case FilterOperator::kGreater:
      return ">";
    case FilterOperator::kGreaterOrEqual:
      return ">=";
    case FilterOperator::kContains:
      break;
  }
  return "=";
}

// A list wants the newest that match. Only an equality finds them in order in an index of its
// column; with anything else (and with kind = oom, which nearly all are) SQLite would collect and
// sort all that match: the plus keeps it on the index of time.
bool FindsInOrder(const Node& node) {
  return node.op == FilterOperator::kEqual && !IsGlob(node) &&
         !(node.field == FilterField::kKind && node.text == "oom");
}

void AppendComparison(const Node& node, Filter::Sql* sql) {
  const std::string column = (FindsInOrder(node) || node.field == FilterField::kTime ? "" : "+") +
                             std::string(FieldName(node.field));
  if (IsOrder(node.op) && node.field != FilterField::kTime) {
    sql->condition += fmt::format("{} <> {} AND ", column, IsInteger(node.field) ? "0" : "''");
  }
  if (IsInteger(node.field)) {
    sql->condition += fmt::format("{} {} ?", column, SqlOperator(node.op));
    sql->values.push_back({.is_integer = true, .integer = node.integer, .text = {}});
    return;
  }
  std::string value = node.text;
  if (node.op == FilterOperator::kContains) {
    sql->condition += fmt::format("instr({}, ?) > 0", column);
  } else if (IsGlob(node)) {
    const char* negation = node.op == FilterOperator::kNotEqual ? "NOT " : "";
    sql->condition += fmt::format("{} {}GLOB ?", column, negation);
    value = EscapeGlob(value);
  } else {
    sql->condition += fmt::format("{} {} ?", column, SqlOperator(node.op));
  }
  sql->values.push_back({.is_integer = false, .integer = 0, .text = std::move(value)});
}

void AppendNode(const Node& node, Filter::Sql* sql) {
  if (node.kind == Node::Kind::kCompare) {
    sql->condition += "(";
    AppendComparison(node, sql);
    sql->condition += ")";
    return;
  }
  sql->condition += node.kind == Node::Kind::kNot ? "NOT (" : "(";
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) {
      sql->condition += node.kind == Node::Kind::kAnd ? " AND " : " OR ";
    }
    AppendNode(*node.children[i], sql);
  }
  sql->condition += ")";
}

}  // namespace

const char* FieldName(FilterField field) { return Described(field).name; }

std::optional<FilterField> FieldCalled(std::string_view name) {
  const auto* found = std::find_if(kFields.begin(), kFields.end(),
                                   [&](const Field& field) { return name == field.name; });
  return found == kFields.end() ? std::nullopt : std::optional(found->field);
}

std::string FieldNames() {
  std::string names;
  for (const Field& field : kFields) {
    names += (names.empty() ? "" : ", ") + std::string(field.name);
  }
  return names;
}

bool IsInteger(FilterField field) { return Described(field).text == nullptr; }

Result<Filter> Filter::Parse(std::string_view text) {
  OOMBOX_TRY(std::unique_ptr<Node> root, ParseFilter(text));
  Filter filter;
  filter.names_hidden_ = root != nullptr && NamesHidden(*root);
  filter.root_ = std::move(root);
  return filter;
}

bool Filter::Matches(const EventAttributes& attributes) const {
  return (names_hidden_ || !IsHidden(attributes.kind)) &&
         (root_ == nullptr || MatchesNode(*root_, attributes));
}

Filter::Sql Filter::ToSql() const {
  Sql sql;
  if (root_ != nullptr) {
    AppendNode(*root_, &sql);
  }
  if (!names_hidden_) {
    sql.condition += fmt::format("{}kind NOT IN ('{}', '{}')", root_ == nullptr ? "" : " AND ",
                                 kSupersededKind, kNoKillKind);
  }
  return sql;
}

}  // namespace oombox
