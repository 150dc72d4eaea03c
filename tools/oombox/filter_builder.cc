#include "tools/oombox/filter_builder.h"

#include <fmt/ranges.h>

#include <cctype>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "agent/common/text.h"
#include "agent/store/filter.h"
#include "tools/oombox/moment.h"
#include "tools/oombox/owner_kind.h"
#include "tools/oombox/printable.h"

namespace oombox {

namespace {

constexpr size_t kMaxPattern = 1024;

Status CheckPattern(std::string_view option, std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    return MakeError(ErrorCode::kInvalid, "{}: longer than {} bytes", option, kMaxPattern);
  }
  if (!IsPrintableUtf8(pattern)) {
    return MakeError(
        ErrorCode::kInvalid,
        "{} \"{}\": events hold such characters escaped; write them as \\xNN, as shown", option,
        Printable(pattern));
  }
  if (const size_t at = pattern.find_first_of("?[]{}"); at != std::string_view::npos) {
    return MakeError(ErrorCode::kInvalid,
                     "{} \"{}\", character {}: only * is a wildcard here\n"
                     "try: * for any run of characters; a literal '{}' through --filter",
                     option, pattern, at + 1, pattern[at]);
  }
  return {};
}

// Exact, or a glob when it has a star.
Status AddExact(std::string_view option, std::string_view field, const std::string& pattern,
                std::vector<std::string>* terms) {
  if (pattern.empty()) {
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(CheckPattern(option, pattern));
  terms->push_back(fmt::format("{} = {}", field, QuoteFilterValue(pattern)));
  return {};
}

// A part of it, or a glob over all of it.
Status AddPart(std::string_view option, std::string_view field, const std::string& pattern,
               std::vector<std::string>* terms) {
  if (pattern.empty() || pattern.find('*') != std::string::npos) {
    return AddExact(option, field, pattern, terms);
  }
  OOMBOX_RETURN_IF_ERROR(CheckPattern(option, pattern));
  terms->push_back(fmt::format("{} : {}", field, QuoteFilterValue(pattern)));
  return {};
}

Status AddPod(const FilterOptions& options, std::vector<std::string>* terms) {
  const size_t slash = options.pod.find('/');
  if (slash == std::string::npos) {
    return AddExact("--pod", "pod", options.pod, terms);
  }
  if (!options.namespace_name.empty()) {
    return MakeError(ErrorCode::kInvalid, "--pod {} names a namespace, and so does --namespace {}",
                     Printable(options.pod), Printable(options.namespace_name));
  }
  OOMBOX_RETURN_IF_ERROR(AddExact("--pod", "namespace", options.pod.substr(0, slash), terms));
  return AddExact("--pod", "pod", options.pod.substr(slash + 1), terms);
}

Status AddOwner(const std::string& pattern, std::vector<std::string>* terms) {
  if (!pattern.empty() && pattern.find('/') == std::string::npos &&
      pattern.find('*') == std::string::npos) {
    return MakeError(ErrorCode::kInvalid,
                     "--owner \"{}\" says no kind\ntry: deployment/{}, or '*/{}' for any kind",
                     Printable(pattern), Printable(pattern), Printable(pattern));
  }
  return AddExact("--owner", "owner", FullOwner(pattern), terms);
}

// What chooses among kills.
Result<std::vector<std::string>> Choices(const FilterOptions& options) {
  std::vector<std::string> terms;
  OOMBOX_RETURN_IF_ERROR(AddExact("--namespace", "namespace", options.namespace_name, &terms));
  OOMBOX_RETURN_IF_ERROR(AddPod(options, &terms));
  OOMBOX_RETURN_IF_ERROR(AddExact("--container", "container", options.container, &terms));
  OOMBOX_RETURN_IF_ERROR(AddOwner(options.owner, &terms));
  OOMBOX_RETURN_IF_ERROR(AddPart("--image", "image", options.image, &terms));
  OOMBOX_RETURN_IF_ERROR(AddExact("--qos", "qos", options.qos, &terms));
  OOMBOX_RETURN_IF_ERROR(AddPart("--cgroup", "cgroup", options.cgroup, &terms));
  OOMBOX_RETURN_IF_ERROR(AddExact("--comm", "comm", options.comm, &terms));
  return terms;
}

Status AddTimes(const FilterOptions& options, int64_t now_ns, std::vector<std::string>* terms) {
  std::optional<int64_t> since;
  if (!options.since.empty()) {
    auto moment = ParseMoment(options.since, now_ns);
    if (!moment.has_value()) {
      return Annotate(std::move(moment).error(), "--since");
    }
    if (*moment > now_ns) {
      return MakeError(ErrorCode::kInvalid, "--since {} is in the future (it is {} now)",
                       options.since, FormatRfc3339(now_ns));
    }
    since = *moment;
    terms->push_back(fmt::format("time >= {}", QuoteFilterValue(FormatRfc3339(*since))));
  }
  if (options.until.empty()) {
    return {};
  }
  auto until = ParseMoment(options.until, now_ns);
  if (!until.has_value()) {
    return Annotate(std::move(until).error(), "--until");
  }
  if (since && *since > *until) {
    return MakeError(ErrorCode::kInvalid,
                     "--since {} is after --until {}: nothing can lie between them\n"
                     "try: swap them; durations count back from now, so --since is the longer one",
                     options.since, options.until);
  }
  terms->push_back(fmt::format("time <= {}", QuoteFilterValue(FormatRfc3339(*until))));
  return {};
}

// Shows the place an error message names ("filter, character 12: ...").
std::string PointAt(std::string_view filter, const std::string& message) {
  constexpr std::string_view kMark = "character ";
  const size_t mark = message.find(kMark);
  const size_t at = mark == std::string::npos
                        ? 0
                        : std::strtoul(message.c_str() + mark + kMark.size(), nullptr, 10);
  if (at == 0 || at > filter.size() + 1 || filter.size() > 200) {
    return message;
  }
  return fmt::format("{}\n  {}\n  {}^", message, Printable(filter), std::string(at - 1, ' '));
}

// The user's expression says which kinds are meant: the word stands there, outside of quotes.
bool NamesAKind(std::string_view expression) {
  bool quoted = false;
  std::string word;
  for (size_t i = 0; i <= expression.size(); ++i) {
    const char c = i < expression.size() ? expression[i] : ' ';
    if (quoted) {
      i += c == '\\' ? 1 : 0;
      quoted = c != '"';
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') {
      word += c;
    } else if (std::exchange(word, "") == "kind") {
      return true;
    } else {
      quoted = c == '"';
    }
  }
  return false;
}

Status AddExpression(const std::string& expression, std::vector<std::string>* terms) {
  if (expression.empty()) {
    return {};
  }
  if (auto parsed = Filter::Parse(expression); !parsed.has_value()) {
    Error error = std::move(parsed).error();
    error.message = "--" + PointAt(expression, error.message);
    return tl::unexpected<Error>(std::move(error));
  }
  // An OR of the user's must not reach the other terms.
  terms->push_back(terms->empty() ? expression : fmt::format("({})", expression));
  return {};
}

}  // namespace

std::string QuoteFilterValue(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

Result<std::string> BuildFilter(const FilterOptions& options, int64_t now_ns) {
  if (options.all_namespaces && !options.namespace_name.empty()) {
    return MakeError(ErrorCode::kInvalid, "--all-namespaces and --namespace {}: give one of them",
                     Printable(options.namespace_name));
  }
  std::vector<std::string> terms;
  OOMBOX_RETURN_IF_ERROR(AddTimes(options, now_ns, &terms));
  OOMBOX_RETURN_IF_ERROR(AddExact("--host", "node", options.host, &terms));
  if (!options.kind.empty()) {
    terms.push_back(fmt::format("kind = {}", options.kind));
  }
  if (options.kind.empty() && options.kills_first && !NamesAKind(options.expression)) {
    terms.emplace_back("kind != pressure");
  }
  OOMBOX_TRY(const std::vector<std::string> choice, Choices(options));
  if (!choice.empty() && options.kind.empty()) {
    const std::string chosen = fmt::format("{}", fmt::join(choice, " AND "));
    terms.push_back(fmt::format("(kind = gap OR {})",
                                choice.size() == 1 ? chosen : fmt::format("({})", chosen)));
  } else {
    terms.insert(terms.end(), choice.begin(), choice.end());
  }
  OOMBOX_RETURN_IF_ERROR(AddExpression(options.expression, &terms));
  std::string filter = fmt::format("{}", fmt::join(terms, " AND "));
  if (auto parsed = Filter::Parse(filter); !parsed.has_value()) {
    return Annotate(std::move(parsed).error(), "the options together make no filter");
  }
  return filter;
}

bool ChoosesByName(const FilterOptions& options) {
  return !options.namespace_name.empty() || !options.pod.empty() || !options.container.empty() ||
         !options.owner.empty() || !options.image.empty();
}

FilterOptions NamelessOf(const FilterOptions& options) {
  return {.since = options.since,
          .until = options.until,
          .cgroup = options.cgroup,
          .comm = options.comm,
          .host = options.host,
          .qos = options.qos,
          .kind = options.kind == "pressure" ? "pressure" : "oom",
          .expression = "pod = \"\" AND qos != \"\""};
}

}  // namespace oombox
