#include <algorithm>
#include <array>

#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

// In the order of OutputFormat.
constexpr std::array<std::string_view, 6> kNames = {"default", "table", "compact",
                                                    "json",    "jsonl", "yaml"};

std::string_view NameOf(OutputFormat format) { return kNames[static_cast<size_t>(format)]; }

}  // namespace

Status CheckFormat(std::string_view verb, OutputFormat format, std::vector<OutputFormat> allowed) {
  if (format == OutputFormat::kDefault ||
      std::find(allowed.begin(), allowed.end(), format) != allowed.end()) {
    return {};
  }
  std::string names;
  for (const OutputFormat one : allowed) {
    names.append(names.empty() ? "" : ", ").append(NameOf(one));
  }
  return MakeError(ErrorCode::kInvalid, "oombox {} does not print {}\ntry: -o with one of {}", verb,
                   NameOf(format), names);
}

std::string_view ClientVersion() { return OOMBOX_VERSION; }

}  // namespace oombox
