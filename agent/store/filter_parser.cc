#include "agent/store/filter_parser.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "agent/common/text.h"

namespace oombox {

namespace {

using Node = Filter::Node;
using NodeResult = Result<std::unique_ptr<Node>>;

constexpr size_t kMaxTextBytes = 4096;
constexpr int kMaxComparisons = 64;
constexpr int kMaxDepth = 32;
constexpr std::array<std::string_view, 6> kKinds = {"oom", "no_victim", "pressure",
                                                    "gap", kNoKillKind, kSupersededKind};

bool IsKind(std::string_view name) {
  return std::find(kKinds.begin(), kKinds.end(), name) != kKinds.end();
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsNameChar(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// What an unquoted value may consist of; other characters mean something, or might one day.
bool IsWordChar(char c) {
  return IsNameChar(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("-./*:+@%~,#").find(c) != std::string_view::npos;
}

std::optional<int64_t> TimeNs(const std::string& text) {
  google::protobuf::Timestamp time;
  if (!google::protobuf::util::TimeUtil::FromString(text, &time)) {
    return std::nullopt;
  }
  v1::Event carrier;
  *carrier.mutable_event_time() = time;
  return AttributesOf(carrier).time_ns;
}

std::optional<int64_t> Integer(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NodeResult Parse() {
    SkipSpace();
    if (AtEnd()) {
      return std::unique_ptr<Node>();
    }
    OOMBOX_TRY(auto root, ParseExpression(1));
    if (!AtEnd()) {
      return Fail(at_, text_[at_] == ')' ? "')' without '('" : "expected AND or OR");
    }
    return root;
  }

 private:
  NodeResult ParseExpression(int depth);
  NodeResult ParseUnary(int depth);
  NodeResult ParseComparison();
  Result<FilterOperator> ParseOperator();
  Result<std::string> ParseValue();
  Result<std::string> ParseQuoted();
  Status SetValue(Node* node, std::string value, size_t value_at);

  tl::unexpected<Error> Fail(size_t at, std::string_view what) const {
    return MakeError(ErrorCode::kInvalid, "filter, character {}: {}", at + 1, what);
  }
  bool AtEnd() const { return at_ >= text_.size(); }
  bool Peek(char c) const { return !AtEnd() && text_[at_] == c; }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[at_])) {
      ++at_;
    }
  }
  std::string_view PeekName() const {
    size_t end = at_;
    while (end < text_.size() && IsNameChar(text_[end])) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }
  bool TakeKeyword(std::string_view keyword) {
    if (PeekName() != keyword) {
      return false;
    }
    at_ += keyword.size();
    SkipSpace();
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
  int comparisons_ = 0;
};

NodeResult Parser::ParseExpression(int depth) {
  OOMBOX_TRY(auto first, ParseUnary(depth));
  std::string_view joiner;
  auto joined = std::make_unique<Node>();
  joined->children.push_back(std::move(first));
  while (true) {
    const size_t joiner_at = at_;
    const std::string_view name = PeekName();
    if (name == "and" || name == "or" || name == "not") {
      return Fail(at_, "AND, OR and NOT are written in capitals");
    }
    if (name != "AND" && name != "OR") {
      break;
    }
    if (!joiner.empty() && joiner != name) {
      return Fail(joiner_at, "AND and OR side by side need parentheses to say which comes first");
    }
    joiner = name;
    TakeKeyword(name);
    OOMBOX_TRY(auto next, ParseUnary(depth));
    joined->children.push_back(std::move(next));
  }
  if (joiner.empty()) {
    return std::move(joined->children.front());
  }
  joined->kind = joiner == "AND" ? Node::Kind::kAnd : Node::Kind::kOr;
  return joined;
}

NodeResult Parser::ParseUnary(int depth) {
  if (depth > kMaxDepth) {
    return Fail(at_, fmt::format("nested deeper than {}", kMaxDepth));
  }
  if (TakeKeyword("NOT")) {
    OOMBOX_TRY(auto operand, ParseUnary(depth + 1));
    auto node = std::make_unique<Node>();
    node->kind = Node::Kind::kNot;
    node->children.push_back(std::move(operand));
    return node;
  }
  if (!Peek('(')) {
    return ParseComparison();
  }
  const size_t open_at = at_++;
  SkipSpace();
  OOMBOX_TRY(auto inner, ParseExpression(depth + 1));
  if (AtEnd()) {
    return Fail(open_at, "'(' is never closed");
  }
  if (!Peek(')')) {
    return Fail(at_, "expected AND, OR or ')'");
  }
  ++at_;
  SkipSpace();
  return inner;
}

NodeResult Parser::ParseComparison() {
  const size_t name_at = at_;
  const std::string_view name = PeekName();
  if (name.empty()) {
    return Fail(at_, fmt::format("expected a field ({})", FieldNames()));
  }
  const std::optional<FilterField> field = FieldCalled(name);
  if (!field) {
    return Fail(name_at, fmt::format("no field '{}'; fields are {}", name, FieldNames()));
  }
  if (++comparisons_ > kMaxComparisons) {
    return Fail(name_at, fmt::format("more than {} comparisons", kMaxComparisons));
  }
  at_ += name.size();
  SkipSpace();
  auto node = std::make_unique<Node>();
  node->field = *field;
  const size_t operator_at = at_;
  OOMBOX_TRY(node->op, ParseOperator());
  if (node->op == FilterOperator::kContains && IsInteger(*field)) {
    return Fail(operator_at,
                fmt::format("{} is a number: it can be compared, but contains nothing", name));
  }
  SkipSpace();
  const size_t value_at = at_;
  OOMBOX_TRY(std::string value, ParseValue());
  OOMBOX_RETURN_IF_ERROR(SetValue(node.get(), std::move(value), value_at));
  SkipSpace();
  return node;
}

Result<FilterOperator> Parser::ParseOperator() {
  struct Spelling {
    std::string_view text;
    FilterOperator op;
  };
  // Longer spellings first.
  static constexpr Spelling kSpellings[] = {{"!=", FilterOperator::kNotEqual},
                                            {"<=", FilterOperator::kLessOrEqual},
                                            {">=", FilterOperator::kGreaterOrEqual},
                                            {"=", FilterOperator::kEqual},
                                            {"<", FilterOperator::kLess},
                                            {">", FilterOperator::kGreater},
                                            {":", FilterOperator::kContains}};
  for (const Spelling& spelling : kSpellings) {
    if (text_.substr(at_).starts_with(spelling.text)) {
      at_ += spelling.text.size();
      return spelling.op;
    }
  }
  return Fail(at_, "expected an operator (= != < <= > >= :)");
}

Result<std::string> Parser::ParseValue() {
  if (Peek('"') || Peek('\'')) {
    return ParseQuoted();
  }
  size_t end = at_;
  while (end < text_.size() && IsWordChar(text_[end])) {
    ++end;
  }
  const std::string_view word = text_.substr(at_, end - at_);
  if (word.empty()) {
    return Fail(at_, AtEnd() ? "expected a value"
                             : "expected a value; quote it if it has special characters");
  }
  if (word == "AND" || word == "OR" || word == "NOT") {
    return Fail(at_, fmt::format("expected a value, not {}; quote it if it is meant as one", word));
  }
  at_ = end;
  if (!AtEnd() && !IsSpace(text_[at_]) && text_[at_] != ')') {
    return Fail(at_, "this character is allowed only inside quotes");
  }
  return std::string(word);
}

Result<std::string> Parser::ParseQuoted() {
  const size_t open_at = at_;
  const char quote = text_[at_++];
  std::string value;
  while (!AtEnd() && text_[at_] != quote) {
    if (text_[at_] == '\\') {
      ++at_;
      if (AtEnd() || std::string_view("\\\"'").find(text_[at_]) == std::string_view::npos) {
        return Fail(at_ - 1,
                    "a backslash in quotes stands before \\, \" or ' only; write it twice");
      }
    }
    value.push_back(text_[at_++]);
  }
  if (AtEnd()) {
    return Fail(open_at, "the quote is never closed");
  }
  ++at_;
  if (!AtEnd() && !IsSpace(text_[at_]) && text_[at_] != ')') {
    return Fail(at_, "expected a space or ')' after the quote");
  }
  return value;
}

Status Parser::SetValue(Node* node, std::string value, size_t value_at) {
  if (node->field == FilterField::kTime) {
    const std::optional<int64_t> time = TimeNs(value);
    if (!time) {
      return Fail(value_at, fmt::format("'{}' is no time like 2026-11-23T03:00:00Z", value));
    }
    node->integer = *time;
  } else if (IsInteger(node->field)) {
    const std::optional<int64_t> integer = Integer(value);
    if (!integer) {
      return Fail(value_at, fmt::format("'{}' is no whole number", value));
    }
    node->integer = *integer;
  }
  const bool exact = node->op == FilterOperator::kEqual || node->op == FilterOperator::kNotEqual;
  if (node->field == FilterField::kKind && exact && value.find('*') == std::string::npos &&
      !IsKind(value)) {
    return Fail(value_at, fmt::format("no kind '{}'; kinds are oom, no_victim, pressure, gap, "
                                      "no_kill, superseded",
                                      value));
  }
  node->text = std::move(value);
  return {};
}

}  // namespace

Result<std::unique_ptr<Filter::Node>> ParseFilter(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return MakeError(ErrorCode::kInvalid, "filter: longer than {} bytes", kMaxTextBytes);
  }
  std::string printable(text);
  std::replace_if(printable.begin(), printable.end(), IsSpace, ' ');
  if (!IsPrintableUtf8(printable)) {
    return MakeError(ErrorCode::kInvalid, "filter: has control characters or is not UTF-8");
  }
  return Parser(printable).Parse();
}

}  // namespace oombox
