#include "agent/capture/redact.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>

#include "bpf/oombox_abi.h"

namespace oombox {

namespace {

// What a secret is named.
constexpr const char* kNames =
    "(?:passwo?r?d|passwd|pwd|passphrase|secret|token|credentials?|api[_.-]?key|access[_.-]?key|"
    "private[_.-]?key|auth[_.-]?key)";

std::vector<std::string> DefaultPatterns() {
  const std::string name = std::string("[a-z0-9_.-]*") + kNames + "[a-z0-9_.-]*";
  return {
      // PASSWORD=x, --db-password=x: an argument of its own, to its end
      R"((?i)(?:^|\x00)-{0,2})" + name + R"(=([^\x00]+))",
      // "token": x, password: x, ...&token=x, within an argument
      R"((?i)\b)" + name + R"(["']?(?:=|: ?)["']?([^\x00 ,;&"']+))",
      // --password x, as two arguments
      R"((?i)(?:^|\x00)--?)" + name + R"(\x00([^\x00]+))",
      // scheme://user:password@host
      R"(://[^/@:\x00 ]*:([^@/\x00 ]+)@)",
      // Authorization: Bearer x
      R"((?i)\b(?:bearer|basic) +([a-z0-9._~+/=-]{8,}))",
      // AWS, GitHub, Slack, JSON web tokens
      R"((AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}))",
      R"((xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9._-]+))",
  };
}

class Re2Redactor final : public Redactor {
 public:
  Status Add(const std::string& pattern) {
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // any bytes
    options.set_log_errors(false);
    auto expression = std::make_unique<re2::RE2>(pattern, options);
    if (!expression->ok()) {
      return MakeError(ErrorCode::kInvalid, "mask-pattern '{}': {}", pattern, expression->error());
    }
    expressions_.push_back(std::move(expression));
    return {};
  }

  void Redact(std::string& cmdline) const override {
    for (const auto& expression : expressions_) {
      Redact(*expression, cmdline);
    }
  }

 private:
  static void Redact(const re2::RE2& expression, std::string& cmdline) {
    const int group = std::min(1, expression.NumberOfCapturingGroups());
    size_t from = 0;
    re2::StringPiece found[2];
    while (from < cmdline.size() && expression.Match(cmdline, from, cmdline.size(),
                                                     re2::RE2::UNANCHORED, found, group + 1)) {
      const re2::StringPiece& secret = found[group];
      const size_t end = static_cast<size_t>(found[0].end() - cmdline.data());
      if (!secret.empty()) {
        std::memset(cmdline.data() + (secret.data() - cmdline.data()), '*', secret.size());
      }
      from = std::max(end, from + 1);  // an empty match must not be found for ever
    }
  }

  std::vector<std::unique_ptr<re2::RE2>> expressions_;
};

}  // namespace

Result<std::unique_ptr<Redactor>> Redactor::Make(const Options& options) {
  auto redactor = std::make_unique<Re2Redactor>();
  if (options.defaults) {
    for (const std::string& pattern : DefaultPatterns()) {
      OOMBOX_RETURN_IF_ERROR(redactor->Add(pattern));
    }
  }
  for (const std::string& pattern : options.patterns) {
    OOMBOX_RETURN_IF_ERROR(redactor->Add(pattern));
  }
  return std::unique_ptr<Redactor>(std::move(redactor));
}

bool RedactRecord(std::string_view record, const Redactor& redactor, std::string& out) {
  oombox_record_header header{};
  if (record.size() < sizeof(oombox_cmdline_record)) {
    return false;
  }
  std::memcpy(&header, record.data(), sizeof header);
  if (header.type != OOMBOX_RECORD_CMDLINE) {
    return false;
  }
  oombox_cmdline_record cmdline{};
  std::memcpy(&cmdline, record.data(), sizeof cmdline);
  const size_t length = std::min<size_t>(cmdline.length, sizeof cmdline.bytes);
  std::string bytes(cmdline.bytes, length);
  redactor.Redact(bytes);
  std::memcpy(cmdline.bytes, bytes.data(), length);
  out = record;
  std::memcpy(out.data(), &cmdline, sizeof cmdline);
  return true;
}

}  // namespace oombox
