#include "tools/oombox/render/pressure_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr double kMib = 1 << 20;

std::optional<uint64_t> Known(bool has, uint64_t value) {
  return has ? std::optional(value) : std::nullopt;
}

// "working set 1.8Gi of 2Gi (90 %)", "usage 2Gi, no limit".
std::string AmountWords(const v1::PressureEvent& pressure) {
  const v1::CgroupLevel& cgroup = pressure.cgroup();
  const bool working_set = pressure.has_working_set_bytes();
  if (!working_set && !cgroup.has_usage_bytes()) {
    return "usage unknown";
  }
  const uint64_t bytes = working_set ? pressure.working_set_bytes() : cgroup.usage_bytes();
  std::string text = (working_set ? "working set " : "usage ") + BriefBytes(bytes);
  if (const auto share = LimitShare(bytes, {}, Known(cgroup.has_max_bytes(), cgroup.max_bytes()))) {
    return text + fmt::format(" of {} ({:.0f} %)", BriefBytes(cgroup.max_bytes()), *share);
  }
  if (const auto share =
          LimitShare(bytes, {}, Known(cgroup.has_high_bytes(), cgroup.high_bytes()))) {
    return text +
           fmt::format(" of memory.high {} ({:.0f} %)", BriefBytes(cgroup.high_bytes()), *share);
  }
  return text + ", no limit";
}

std::string EndWords(const v1::PressureEvent& pressure) {
  switch (pressure.cause()) {
    case v1::PressureEvent::CAUSE_REMOVED:
      return "removed";
    case v1::PressureEvent::CAUSE_LIMIT_CHANGED:
      return "its limit was changed";
    default:
      return "";
  }
}

}  // namespace

std::string StateName(v1::PressureEvent::State state) {
  switch (state) {
    case v1::PressureEvent::STATE_OK:
      return "ok";
    case v1::PressureEvent::STATE_WARNING:
      return "warning";
    case v1::PressureEvent::STATE_CRITICAL:
      return "critical";
    default:
      return "unknown";
  }
}

Style StateStyle(v1::PressureEvent::State state) {
  return state == v1::PressureEvent::STATE_CRITICAL  ? Style::kRed
         : state == v1::PressureEvent::STATE_WARNING ? Style::kYellow
         : state == v1::PressureEvent::STATE_OK      ? Style::kGreen
                                                     : Style::kPlain;
}

std::string BriefBytes(uint64_t bytes) {
  std::string text = FormatBytes(bytes);
  std::erase(text, ' ');
  text.pop_back();  // the B
  return text;
}

std::string UsageOverLimit(const v1::CgroupLevel& cgroup) {
  return fmt::format("{}/{}", cgroup.has_usage_bytes() ? BriefBytes(cgroup.usage_bytes()) : "?",
                     cgroup.has_max_bytes() ? BriefBytes(cgroup.max_bytes()) : "none");
}

std::optional<double> LimitShare(std::optional<uint64_t> working_set, std::optional<uint64_t> usage,
                                 std::optional<uint64_t> limit) {
  const std::optional<uint64_t> amount = working_set ? working_set : usage;
  if (!amount || limit.value_or(0) == 0) {
    return std::nullopt;
  }
  return 100 * static_cast<double>(*amount) / static_cast<double>(*limit);
}

std::string GrowthText(const v1::MemoryTrend& trend) {
  const double rate = trend.growth_bytes_per_second();
  if (!trend.has_growth_bytes_per_second() || !std::isfinite(rate)) {
    return "-";
  }
  constexpr double kSmallest = 4096;
  const double amount = std::min(std::abs(rate), 1e15);
  const bool by_second = amount >= kMib;
  const bool by_minute = amount * 60 >= 4 * kMib;
  const double shown = amount * (by_second ? 1 : by_minute ? 60 : 3600);
  if (shown < kSmallest) {
    return "0";
  }
  return fmt::format("{}{}/{}", rate < 0 ? "-" : "+", CompactBytes(static_cast<uint64_t>(shown)),
                     by_second   ? "s"
                     : by_minute ? "min"
                                 : "h");
}

std::string FullInText(const v1::MemoryTrend& trend) {
  if (!trend.has_time_to_limit()) {
    return "-";
  }
  return fmt::format("~{}{}", FormatAge(ToNs(trend.time_to_limit())),
                     trend.confidence() == v1::CONFIDENCE_LOW ? "?" : "");
}

const v1::MemoryTrend& TrendOf(const v1::PressureEvent& pressure) {
  return pressure.cause() == v1::PressureEvent::CAUSE_REMOVED ? v1::MemoryTrend::default_instance()
                                                              : pressure.trend();
}

std::string StallText(const v1::MemoryPressure& pressure) {
  if (pressure.full_avg10_percent() >= 0.5 || !pressure.has_some_avg10_percent()) {
    if (pressure.has_full_avg10_percent()) {
      return fmt::format("full {:.0f} %", pressure.full_avg10_percent());
    }
    return pressure.reclaim().has_avg10_percent()
               ? fmt::format("reclaim {:.0f} %", pressure.reclaim().avg10_percent())
               : "-";
  }
  return fmt::format("some {:.0f} %", pressure.some_avg10_percent());
}

std::string PressureWords(const v1::PressureEvent& pressure) {
  std::string text = AmountWords(pressure);
  const auto add = [&text](const std::string& part) {
    if (!part.empty() && part != "-") {
      text += ", " + part;
    }
  };
  if (pressure.state() == v1::PressureEvent::STATE_OK) {
    add(EndWords(pressure));
    if (pressure.previous_state() > v1::PressureEvent::STATE_OK) {
      add("was " + StateName(pressure.previous_state()));
    }
  } else {
    if (pressure.has_unreclaimable_bytes()) {
      add("unreclaimable " + BriefBytes(pressure.unreclaimable_bytes()));
    }
    if (pressure.cause() == v1::PressureEvent::CAUSE_STALLS) {
      add("tasks wait");
    }
    if (const std::string stall = StallText(pressure.pressure()); !stall.ends_with(" 0 %")) {
      add(stall);
    }
    if (const std::string growth = GrowthText(TrendOf(pressure)); growth != "0") {
      add(growth);
    }
    if (TrendOf(pressure).has_time_to_limit()) {
      add("full in " + FullInText(TrendOf(pressure)));
    }
  }
  if (!pressure.kill_event_id().empty()) {
    add("a kill followed: " + pressure.kill_event_id().substr(0, 6));
  }
  return text;
}

}  // namespace oombox
