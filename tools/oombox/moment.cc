#include "tools/oombox/moment.h"

#include <google/protobuf/util/time_util.h>

#include <charconv>

#include "tools/oombox/printable.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kMaxSeconds = 10ll * 365 * 86400;

int64_t SecondsOf(std::string_view unit) {
  if (unit == "s") return 1;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  if (unit == "d") return 86400;
  if (unit == "w") return int64_t{7} * 86400;
  return 0;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

tl::unexpected<Error> BadDuration(std::string_view text) {
  return MakeError(ErrorCode::kInvalid,
                   "\"{}\" is no duration; write it like 90s, 10m, 3h, 2d or 1h30m",
                   Printable(text));
}

}  // namespace

Result<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  int64_t total = 0;
  if (rest.empty()) {
    return BadDuration(text);
  }
  while (!rest.empty()) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    if (!IsDigit(rest.front()) ||
        (error != std::errc() && error != std::errc::result_out_of_range)) {
      return BadDuration(text);
    }
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    size_t unit_length = 0;
    while (unit_length < rest.size() && !IsDigit(rest[unit_length])) {
      ++unit_length;
    }
    const int64_t seconds = SecondsOf(rest.substr(0, unit_length));
    if (seconds == 0) {
      return BadDuration(text);
    }
    if (error != std::errc() || count > kMaxSeconds / seconds ||
        total + count * seconds > kMaxSeconds) {
      return MakeError(ErrorCode::kInvalid, "\"{}\" is longer than 10 years", Printable(text));
    }
    rest.remove_prefix(unit_length);
    total += count * seconds;
  }
  return std::chrono::seconds(total);
}

Result<int64_t> ParseMoment(std::string_view text, int64_t now_ns) {
  // Only a full date looks like "2026-...".
  if (text.find('-') == std::string_view::npos) {
    OOMBOX_TRY(const std::chrono::nanoseconds ago, ParseDuration(text));
    return now_ns - ago.count();
  }
  google::protobuf::Timestamp time;
  if (!TimeUtil::FromString(std::string(text), &time)) {
    return MakeError(ErrorCode::kInvalid,
                     "\"{}\" is neither a duration like 3h nor a time like 2026-11-23T03:00:00Z",
                     Printable(text));
  }
  return ToNs(time);
}

std::string FormatRfc3339(int64_t wall_ns) {
  return TimeUtil::ToString(TimeUtil::NanosecondsToTimestamp(wall_ns));
}

}  // namespace oombox
