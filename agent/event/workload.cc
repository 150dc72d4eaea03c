#include "agent/event/workload.h"

#include <algorithm>
#include <cctype>

namespace oombox {

namespace {

bool IsHex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The run of hexadecimal digits (joined by - or _ as in a UUID) at the start of `text`.
size_t HexRun(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && (IsHex(text[n]) || (n > 0 && (text[n] == '-' || text[n] == '_') &&
                                                n + 1 < text.size() && IsHex(text[n + 1])))) {
    ++n;
  }
  return n;
}

// An id rather than a word: long enough, and with digits in it; or a plain number of three digits
// or more.
bool IsId(std::string_view run) {
  const auto digits = static_cast<size_t>(std::count_if(run.begin(), run.end(), IsDigit));
  return (run.size() >= 8 && digits >= 2) || (run.size() >= 3 && digits == run.size());
}

}  // namespace

std::string WorkloadOfCgroup(std::string_view path) {
  std::string out;
  for (size_t i = 0; i < path.size();) {
    if (path.substr(i).starts_with(
            "pod")) {  // its d would be taken for a part of the uid behind it
      out += "pod";
      i += 3;
      continue;
    }
    const size_t run = HexRun(path.substr(i));
    if (run > 0 && IsId(path.substr(i, run))) {
      out += '*';
      i += run;
    } else {
      out += path[i++];  // one step, not the run: "cafe-12345678" must find its number
    }
  }
  return out;
}

std::string WorkloadOfContainer(const v1::Container& container) {
  const std::string& made_by = container.owner().empty() ? container.pod_name() : container.owner();
  return container.namespace_name() + "/" + made_by + "/" + container.container_name();
}

}  // namespace oombox
