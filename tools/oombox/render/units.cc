#include "tools/oombox/render/units.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

namespace oombox {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

struct AgeUnit {
  int64_t seconds;
  const char* brief;
  const char* word;
};
constexpr std::array<AgeUnit, 4> kAgeUnits = {
    {{86400, "d", "d"}, {3600, "h", "h"}, {60, "m", "min"}, {1, "s", "s"}}};

struct Age {
  int64_t count;
  const AgeUnit* unit;
};

Age Largest(int64_t nanoseconds) {
  const int64_t seconds = std::max<int64_t>(nanoseconds, 0) / kNsPerSecond;
  const auto* unit = std::find_if(kAgeUnits.begin(), kAgeUnits.end() - 1,
                                  [&](const AgeUnit& u) { return seconds >= u.seconds; });
  return {seconds / unit->seconds, unit};
}

std::tm Utc(int64_t wall_ns, int64_t* millis) {
  int64_t seconds = wall_ns / kNsPerSecond;
  int64_t rest = wall_ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  *millis = rest / 1'000'000;
  const std::time_t time = seconds;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return utc;
}

}  // namespace

std::string FormatBytes(uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  // 1023.5 would be printed as "1024".
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  // 9.96 would be printed as "10.0".
  const std::string number =
      value < 9.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
  const bool whole = number.ends_with(".0");
  return fmt::format("{} {}", whole ? number.substr(0, number.size() - 2) : number, kUnits[unit]);
}

std::string CompactBytes(uint64_t bytes) {
  constexpr uint64_t kKi = 1ull << 10;
  constexpr uint64_t kMi = 1ull << 20;
  constexpr uint64_t kGi = 1ull << 30;
  if (bytes >= kGi && bytes % kGi == 0) {
    return fmt::format("{}Gi", bytes / kGi);
  }
  if (bytes >= kMi) {
    return fmt::format("{}Mi", bytes / kMi + (bytes % kMi >= kMi / 2 ? 1 : 0));
  }
  return bytes >= kKi ? fmt::format("{}Ki", (bytes + kKi / 2) / kKi) : fmt::format("{}", bytes);
}

std::string BytesOrUnknown(const std::optional<uint64_t>& bytes) {
  return bytes ? FormatBytes(*bytes) : "unknown";
}

std::string FormatAge(int64_t nanoseconds) {
  const Age age = Largest(nanoseconds);
  return fmt::format("{}{}", age.count, age.unit->brief);
}

std::string FormatAgeLong(int64_t nanoseconds) {
  const Age age = Largest(nanoseconds);
  return fmt::format("{} {}", age.count, age.unit->word);
}

std::string FormatCount(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

namespace {

int64_t JoinNs(int64_t seconds, int32_t nanos) {
  constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / kNsPerSecond - 1;
  return std::clamp(seconds, -kMaxSeconds, kMaxSeconds) * kNsPerSecond +
         std::clamp(nanos, 0, 999'999'999);
}

}  // namespace

int64_t ToNs(const google::protobuf::Timestamp& time) {
  return JoinNs(time.seconds(), time.nanos());
}

int64_t ToNs(const google::protobuf::Duration& duration) {
  return JoinNs(duration.seconds(), duration.nanos());
}

std::string FormatDateTime(int64_t wall_ns) {
  int64_t millis = 0;
  const std::tm utc = Utc(wall_ns, &millis);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}Z", utc, millis);
}

std::string FormatClock(int64_t wall_ns) {
  int64_t millis = 0;
  const std::tm utc = Utc(wall_ns, &millis);
  return fmt::format("{:%H:%M:%S}.{:03}", utc, millis);
}

}  // namespace oombox
