#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "agent/diagnose/parts.h"
#include "agent/diagnose/words.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;
using Event = v1::PressureEvent;

constexpr const char* kSource = "last reading";

std::string Subject(const Event& pressure) {
  const v1::Container& container = pressure.container();
  if (pressure.whole_node()) {
    return "the node";
  }
  return container.container_name().empty() ? "cgroup " + pressure.cgroup().path()
                                            : "container " + container.container_name();
}

const char* StateWord(Event::State state) {
  return state == Event::STATE_CRITICAL  ? "critical"
         : state == Event::STATE_WARNING ? "warning"
         : state == Event::STATE_OK      ? "ok"
                                         : "not known";
}

// "the tasks of container web stand still waiting for memory (PSI full 45 %)"; `tasks` are whose.
std::string StallWords(const std::string& tasks, const v1::MemoryPressure& psi) {
  if (psi.full_avg10_percent() >= 1) {
    return fmt::format("the tasks of {} stand still waiting for memory (PSI full {:.0f} %)", tasks,
                       psi.full_avg10_percent());
  }
  if (psi.has_some_avg10_percent()) {
    return fmt::format("some tasks of {} wait for memory (PSI some {:.0f} %)", tasks,
                       psi.some_avg10_percent());
  }
  return psi.reclaim().has_avg10_percent()
             ? fmt::format("the tasks of {} reclaim memory {:.0f} % of the time", tasks,
                           psi.reclaim().avg10_percent())
             : fmt::format("the tasks of {} wait for memory", tasks);
}

bool HasShare(const Event& pressure) {
  return pressure.has_working_set_bytes() && pressure.cgroup().max_bytes() > 0;
}

// Nobody needs to be killed as long as there is cache to take, and here there is much of it: what
// cannot be taken is far below the limit.
bool IsMostlyCache(const Event& pressure) {
  constexpr uint64_t kFarPercent = 60;
  return pressure.has_unreclaimable_bytes() && HasShare(pressure) &&
         pressure.unreclaimable_bytes() < pressure.cgroup().max_bytes() / 100 * kFarPercent;
}

// Most of the limit is what the kernel cannot reclaim.
bool IsMostlyHeld(const Event& pressure) {
  constexpr uint64_t kNearPercent = 80;
  return pressure.has_unreclaimable_bytes() && pressure.cgroup().max_bytes() > 0 &&
         pressure.unreclaimable_bytes() >= pressure.cgroup().max_bytes() / 100 * kNearPercent;
}

// " (working set 82 % of 2048 MiB), mostly with page cache that can be reclaimed".
std::string AmountWords(const Event& pressure) {
  const uint64_t limit = pressure.cgroup().max_bytes();
  const bool working_set = pressure.has_working_set_bytes();
  if (limit == 0 || (!working_set && !pressure.cgroup().has_usage_bytes())) {
    return "";
  }
  const uint64_t bytes =
      working_set ? pressure.working_set_bytes() : pressure.cgroup().usage_bytes();
  return fmt::format(
      " ({} {:.0f} % of {}){}", working_set ? "working set" : "usage",
      100 * static_cast<double>(bytes) / static_cast<double>(limit), ByteWords(limit),
      IsMostlyCache(pressure) ? ", mostly with page cache that can be reclaimed" : "");
}

std::string EndVerdict(const Event& pressure) {
  const std::string subject = Subject(pressure);
  switch (pressure.cause()) {
    case Event::CAUSE_REMOVED:
      return subject + " was removed: its memory pressure is over";
    case Event::CAUSE_LIMIT_CHANGED:
      return fmt::format("the limit of {} was changed: it is not near any more", subject);
    default:
      return fmt::format("the memory pressure of {} is over", subject);
  }
}

std::string Verdict(const Event& pressure) {
  const std::string subject = Subject(pressure);
  if (pressure.state() == Event::STATE_OK) {
    return EndVerdict(pressure);
  }
  if (pressure.state() == Event::STATE_UNSPECIFIED) {
    return fmt::format("memory pressure of {}, of a state this version does not know", subject);
  }
  const std::string state = StateWord(pressure.state());
  if (pressure.cause() == Event::CAUSE_STALLS) {
    return state + ": " + StallWords(subject, pressure.pressure());
  }
  return fmt::format("{}: {}{}{}", state, subject,
                     pressure.whole_node() ? "'s memory is nearly used up" : " is near its limit",
                     AmountWords(pressure));
}

// What speaks for pressure speaks against its end.
v1::Evidence::Weight WeightOf(const Event& pressure, bool for_pressure) {
  return for_pressure != (pressure.state() == Event::STATE_OK) ? v1::Evidence::WEIGHT_FOR
                                                               : v1::Evidence::WEIGHT_AGAINST;
}

void AddAmounts(const Event& pressure, v1::Diagnosis* diagnosis) {
  const uint64_t limit = pressure.cgroup().max_bytes();
  if (pressure.cause() == Event::CAUSE_REMOVED) {
    return;  // that it is gone needs no proof
  }
  if (HasShare(pressure)) {
    AddEvidence(v1::Evidence::WEIGHT_FOR,
                "working set " + ShareWords(pressure.working_set_bytes(), limit), kSource,
                diagnosis);
  } else if (pressure.cgroup().has_usage_bytes() && limit > 0) {
    AddEvidence(v1::Evidence::WEIGHT_FOR,
                "usage " + ShareWords(pressure.cgroup().usage_bytes(), limit), kSource, diagnosis);
  }
  if (!pressure.has_unreclaimable_bytes() || limit == 0) {
    return;
  }
  const bool cache = IsMostlyCache(pressure);
  AddEvidence(WeightOf(pressure, !cache),
              fmt::format("{} cannot be reclaimed without swap{}",
                          ShareWords(pressure.unreclaimable_bytes(), limit),
                          cache ? "; the rest the kernel takes back before it kills" : ""),
              kSource, diagnosis);
}

// Its agent said so already, with the reason.
bool NamesMissingStalls(const Event& pressure) {
  return std::any_of(
      pressure.missing().begin(), pressure.missing().end(),
      [](const v1::MissingField& missing) { return missing.field().starts_with("pressure"); });
}

void AddStalls(const Event& pressure, v1::Diagnosis* diagnosis) {
  const v1::MemoryPressure& psi = pressure.pressure();
  if (pressure.state() != Event::STATE_OK && pressure.cause() == Event::CAUSE_STALLS) {
    diagnosis->add_details(
        IsMostlyHeld(pressure)
            ? "what is left to reclaim is needed again at once, and little is left: a kill is near"
            : "reclaim takes what is needed again at once; no kill needs to follow, it may go on "
              "like that: more memory, or less cache in use, ends it");
  } else if (psi.full_avg10_percent() >= 1 && pressure.cause() != Event::CAUSE_REMOVED) {
    AddEvidence(WeightOf(pressure, true), StallWords(Subject(pressure), psi), "PSI", diagnosis);
  }
  if (!psi.has_some_avg10_percent() && !psi.has_full_avg10_percent() && !psi.has_reclaim() &&
      pressure.cause() != Event::CAUSE_REMOVED && !NamesMissingStalls(pressure)) {
    diagnosis->add_unknowns("whether its tasks wait for memory: no PSI, no reclaim measured");
  }
}

// "42 GiB per hour", "512 MiB per minute", "12 MiB per second": where it is a number to read.
std::string RateWords(double bytes_per_second) {
  constexpr double kMib = 1 << 20;
  const bool by_second = bytes_per_second >= kMib;
  const bool by_minute = bytes_per_second * 60 >= 4 * kMib;
  const double amount = bytes_per_second * (by_second ? 1 : by_minute ? 60 : 3600);
  return fmt::format("{} per {}", ByteWords(static_cast<uint64_t>(std::min(amount, 1e18))),
                     by_second   ? "second"
                     : by_minute ? "minute"
                                 : "hour");
}

// "95 s", "45 min", "6 h".
std::string TimeWords(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  return seconds < 2 * kMinute ? fmt::format("{} s", seconds)
         : seconds < 2 * kHour ? fmt::format("{} min", seconds / kMinute)
                               : fmt::format("{} h", seconds / kHour);
}

void AddTrend(const Event& pressure, v1::Diagnosis* diagnosis) {
  const v1::MemoryTrend& trend = pressure.trend();
  const double rate = trend.growth_bytes_per_second();
  if (!trend.has_growth_bytes_per_second() || !std::isfinite(rate) ||
      pressure.cause() == Event::CAUSE_REMOVED) {
    return;
  }
  if (trend.has_time_to_limit() && rate > 0) {
    AddEvidence(
        WeightOf(pressure, true),
        fmt::format("it grows by {}{}: the limit is {} away if that goes on", RateWords(rate),
                    trend.confidence() == v1::CONFIDENCE_LOW ? ", up and down" : "",
                    TimeWords(std::max<int64_t>(trend.time_to_limit().seconds(), 0))),
        "growth", diagnosis);
  } else if (rate <= 0) {
    AddEvidence(WeightOf(pressure, false), "what its programs hold does not grow", "growth",
                diagnosis);
  }
}

v1::Confidence ConfidenceOf(const Event& pressure) {
  if (pressure.state() == Event::STATE_OK || pressure.cause() == Event::CAUSE_STALLS) {
    return v1::CONFIDENCE_HIGH;
  }
  return HasShare(pressure) && pressure.has_unreclaimable_bytes() ? v1::CONFIDENCE_HIGH
                                                                  : v1::CONFIDENCE_MEDIUM;
}

}  // namespace

void DiagnosePressure(const v1::PressureEvent& pressure, v1::Diagnosis* diagnosis) {
  diagnosis->set_verdict(Verdict(pressure));
  diagnosis->set_confidence(ConfidenceOf(pressure));
  if (pressure.previous_state() != Event::STATE_UNSPECIFIED) {
    google::protobuf::Timestamp since;  // without fractions: nobody needs them
    since.set_seconds(pressure.previous_since().seconds());
    diagnosis->add_details(
        fmt::format("before that: {}{}", StateWord(pressure.previous_state()),
                    pressure.has_previous_since() ? " since " + TimeUtil::ToString(since) : ""));
  }
  if (!pressure.kill_event_id().empty()) {
    diagnosis->add_details("an OOM kill followed: event " + pressure.kill_event_id());
  }
  AddAmounts(pressure, diagnosis);
  AddStalls(pressure, diagnosis);
  AddTrend(pressure, diagnosis);
  constexpr int kMaxMissingListed = 20;
  for (int i = 0; i < std::min(pressure.missing_size(), kMaxMissingListed); ++i) {
    const v1::MissingField& missing = pressure.missing(i);
    // What is gone waits for nothing.
    if (pressure.cause() != Event::CAUSE_REMOVED || !missing.field().starts_with("pressure")) {
      diagnosis->add_unknowns(fmt::format("{}: {}", missing.field(), missing.reason()));
    }
  }
}

}  // namespace oombox
