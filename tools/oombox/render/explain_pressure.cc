#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/render/explain.h"
#include "tools/oombox/render/pressure_text.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

std::string Bytes(const char* name, bool known, uint64_t bytes) {
  return fmt::format("{} {}", name, known ? FormatBytes(bytes) : "unknown");
}

void AddMemory(const v1::PressureEvent& pressure, Page* page) {
  const v1::CgroupLevel& cgroup = pressure.cgroup();
  const v1::MemoryStat& stat = cgroup.stat();
  std::vector<std::string> items = {
      Bytes("usage", cgroup.has_usage_bytes(), cgroup.usage_bytes()),
      cgroup.has_max_bytes() ? "limit " + FormatBytes(cgroup.max_bytes()) : "no limit",
      Bytes("working set", pressure.has_working_set_bytes(), pressure.working_set_bytes()),
      Bytes("unreclaimable", pressure.has_unreclaimable_bytes(), pressure.unreclaimable_bytes())};
  if (cgroup.has_high_bytes()) {
    items.push_back("memory.high " + FormatBytes(cgroup.high_bytes()));
  }
  page->Items("MEMORY", items, 2);
  items.clear();
  const auto add = [&items](const char* name, bool known, uint64_t bytes) {
    if (known) {
      items.push_back(Bytes(name, true, bytes));
    }
  };
  add("anon", stat.has_anon_bytes(), stat.anon_bytes());
  add("page cache", stat.has_file_bytes(),
      stat.file_bytes() - std::min(stat.file_bytes(), stat.shmem_bytes()));
  add("tmpfs", stat.has_shmem_bytes(), stat.shmem_bytes());
  add("kernel", stat.has_kernel_bytes(), stat.kernel_bytes());
  add("sock", stat.has_sock_bytes(), stat.sock_bytes());
  if (!items.empty()) {
    page->Items("", items, 2);
  }
}

void AddStalls(const v1::MemoryPressure& psi, bool removed, Page* page) {
  std::vector<std::string> items;
  const auto add = [&items](const char* name, bool known, double percent) {
    if (known) {
      items.push_back(fmt::format("{} {:.1f} %", name, percent));
    }
  };
  add("some", psi.has_some_avg10_percent(), psi.some_avg10_percent());
  add("full", psi.has_full_avg10_percent(), psi.full_avg10_percent());
  if (!items.empty()) {
    items.back() += " of the last 10 s";
  }
  add("some", psi.has_some_avg60_percent(), psi.some_avg60_percent());
  add("full", psi.has_full_avg60_percent(), psi.full_avg60_percent());
  if (psi.has_full_avg60_percent()) {
    items.back() += " of the last 60 s";
  }
  if (items.empty() && !removed) {
    items.emplace_back("unknown");
  }
  if (!items.empty()) {
    page->Items("PSI", items, 2);
  }
  if (psi.has_reclaim()) {
    const v1::ReclaimStalls& reclaim = psi.reclaim();
    std::string text = fmt::format("{} reclaims took {:.1f} s", reclaim.count(),
                                   static_cast<double>(ToNs(reclaim.total())) / 1e9);
    if (reclaim.has_longest()) {
      text += fmt::format(", the longest {:.0f} ms",
                          static_cast<double>(ToNs(reclaim.longest())) / 1e6);
    }
    text += fmt::format(", and took back {}", FormatBytes(reclaim.reclaimed_bytes()));
    page->Text("RECLAIM", text, 1);
  }
}

std::string ConfidenceWord(v1::Confidence confidence) {
  return confidence == v1::CONFIDENCE_HIGH     ? ", steadily"
         : confidence == v1::CONFIDENCE_LOW    ? ", up and down"
         : confidence == v1::CONFIDENCE_MEDIUM ? ", not quite steadily"
                                               : "";
}

void AddTrend(const v1::MemoryTrend& trend, Page* page) {
  const std::string growth = GrowthText(trend);
  std::string text = growth == "-" ? "unknown" : growth;
  if (growth != "-" && trend.has_window()) {
    text += fmt::format(" over {}{}", FormatAgeLong(ToNs(trend.window())),
                        ConfidenceWord(trend.confidence()));
  }
  if (trend.has_time_to_limit()) {
    text += "; if that goes on, full in " + FullInText(trend);
  }
  page->Text("GROWTH", text, 1);
}

}  // namespace

void AddPressure(const v1::PressureEvent& pressure, Page* page) {
  page->Blank();
  AddMemory(pressure, page);
  // What is gone neither waits nor grows: that it is not known is not missed.
  const bool removed = pressure.cause() == v1::PressureEvent::CAUSE_REMOVED;
  AddStalls(pressure.pressure(), removed, page);
  if (!removed) {
    AddTrend(pressure.trend(), page);
  }
}

}  // namespace oombox
