#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/explain.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr int kMaxLevels = 5;
constexpr size_t kNameWidth = 32;

std::string Part(const char* name, bool known, uint64_t bytes) {
  return fmt::format("{} {}", name, known ? FormatBytes(bytes) : "unknown");
}

std::vector<std::string> MemoryParts(const v1::ProcessMemory& m) {
  std::vector<std::string> parts;
  if (m.has_exact()) {
    const v1::ProcessMemoryExact& exact = m.exact();
    parts = {Part("anon", true, exact.anon_bytes()), Part("file", true, exact.file_bytes()),
             Part("shmem", true, exact.shmem_bytes()), Part("swap", true, exact.swap_bytes())};
  } else {
    parts = {Part("anon", m.has_anon_bytes(), m.anon_bytes()),
             Part("file", m.has_file_bytes(), m.file_bytes()),
             Part("shmem", m.has_shmem_bytes(), m.shmem_bytes()),
             Part("swap", m.has_swap_bytes(), m.swap_bytes())};
  }
  parts.push_back(Part("page tables", m.has_page_tables_bytes(), m.page_tables_bytes()));
  if (!m.has_exact() && m.has_error_bound_bytes() && m.error_bound_bytes() > 0) {
    parts.back() += fmt::format("   (each ±{})", FormatBytes(m.error_bound_bytes()));
  }
  return parts;
}

std::string LimitOf(const v1::CgroupLevel& level) {
  if (level.has_max_bytes()) {
    return FormatBytes(level.max_bytes());
  }
  return level.has_usage_bytes() ? "no limit" : "unknown";
}

std::string FiredMark(const v1::LimitHit& hit) {
  switch (hit.provenance()) {
    case v1::PROVENANCE_INFERRED:
      return "  ◀ fired (inferred)";
    case v1::PROVENANCE_AT_KILL:
      return "  ◀ fired";
    case v1::PROVENANCE_RECONSTRUCTED:
      return "  ◀ fired (from the kernel log)";
    default:
      return "  ◀ fired (source unknown)";
  }
}

// Levels to show when there are too many: the victim's, the one that fired, the root, and those
// with a limit as long as there is room.
std::vector<int> ChooseLevels(const v1::OomEvent& oom, int fired) {
  const int count = oom.cgroups_size();
  std::vector<bool> shown(static_cast<size_t>(count), count <= kMaxLevels);
  int left = kMaxLevels;
  const auto show = [&](int level) {
    const auto at = static_cast<size_t>(level);
    if (level >= 0 && level < count && left > 0 && !shown[at]) {
      shown[at] = true;
      --left;
    }
  };
  show(0);
  show(fired);
  show(count - 1);
  for (int i = 0; i < count; ++i) {
    if (oom.cgroups(i).has_max_bytes()) {
      show(i);
    }
  }
  std::vector<int> chosen;
  for (int i = 0; i < count; ++i) {
    if (shown[static_cast<size_t>(i)]) {
      chosen.push_back(i);
    }
  }
  return chosen;
}

// "anon 1934 MiB · page cache 58 MiB · ..." of the level that fired, else of the victim's own.
void AddStat(const v1::OomEvent& oom, Page* page) {
  const int fired = static_cast<int>(std::min<uint32_t>(oom.limit_hit().level(), 1 << 20));
  const int at = fired < oom.cgroups_size() && oom.cgroups(fired).has_stat() ? fired : 0;
  if (at >= oom.cgroups_size() || !oom.cgroups(at).stat().has_anon_bytes()) {
    return;
  }
  const v1::MemoryStat& stat = oom.cgroups(at).stat();
  const uint64_t shmem = stat.shmem_bytes();
  std::vector<std::string> parts = {Part("anon", true, stat.anon_bytes()),
                                    Part("page cache", stat.has_file_bytes(),
                                         stat.file_bytes() - std::min(stat.file_bytes(), shmem)),
                                    Part("tmpfs", stat.has_shmem_bytes(), shmem)};
  if (stat.has_kernel_bytes()) {
    parts.push_back(Part("kernel", true, stat.kernel_bytes()));
  } else {
    parts.push_back(Part("slab", stat.has_slab_unreclaimable_bytes(),
                         stat.slab_reclaimable_bytes() + stat.slab_unreclaimable_bytes()));
  }
  parts.push_back(Part("sock", stat.has_sock_bytes(), stat.sock_bytes()));
  page->Items("", parts, 1);
}

void AddLevels(const v1::OomEvent& oom, Page* page) {
  const int fired = oom.limit_hit().has_level()
                        ? static_cast<int>(std::min<uint32_t>(oom.limit_hit().level(), 1 << 20))
                        : -1;
  const std::vector<int> chosen = ChooseLevels(oom, fired);
  size_t path_width = 0;
  for (const int i : chosen) {
    path_width = std::max(path_width, TextWidth(oom.cgroups(i).path()));
  }
  // Two numbers of 8 columns, " of ", and the mark.
  path_width = std::min(path_width, page->text_width() - 44);
  for (const int i : chosen) {
    const v1::CgroupLevel& level = oom.cgroups(i);
    const auto usage =
        level.has_usage_bytes() ? std::optional<uint64_t>(level.usage_bytes()) : std::nullopt;
    const std::string line =
        fmt::format("{}  {} of {}{}", PadRight(ElideMiddle(level.path(), path_width), path_width),
                    PadLeft(BytesOrUnknown(usage), 8), PadLeft(LimitOf(level), 8),
                    i == fired ? FiredMark(oom.limit_hit()) : "");
    page->Line(std::string(Page::kLabelWidth, ' ') + line,
               i == fired ? Style::kRed : Style::kPlain);
  }
  if (const size_t hidden = static_cast<size_t>(oom.cgroups_size()) - chosen.size(); hidden > 0) {
    page->Text(
        "",
        fmt::format("… and {} more {} between (-o json)", hidden, hidden == 1 ? "level" : "levels"),
        1, Style::kDim);
  }
}

std::string Share(const v1::ProcessMemory& memory, const std::optional<MemorySum>& whole) {
  const auto sum = ResidentAndSwap(memory);
  if (!sum || !whole || whole->bytes == 0 || sum->bytes > whole->bytes) {
    return "";
  }
  const double share = 100.0 * static_cast<double>(sum->bytes) / static_cast<double>(whole->bytes);
  return share < 1 ? " <1 %" : fmt::format(" {:.0f} %", share);
}

// The nearest, and where the chain ends: the first process of its container.
std::string Parents(const v1::Victim& victim) {
  std::string text =
      ElideMiddle(fmt::format("{}[{}]", victim.parent_comm(), victim.parent_tgid()), kNameWidth);
  if (victim.parents_size() > 1 && victim.parents().rbegin()->container_init()) {
    const v1::ParentProcess& first = *victim.parents().rbegin();
    text += ElideMiddle(fmt::format(" below {}[{}]", first.comm(), first.tgid()), kNameWidth);
  }
  return text;
}

}  // namespace

void AddWhat(const v1::OomEvent& oom, Page* page) {
  if (oom.victims().empty()) {
    page->Text("WHAT", "victim unknown", 1);
  } else {
    const v1::Victim& victim = oom.victims(0);
    std::string who = ElideMiddle(VictimName(victim), kNameWidth);
    if (victim.namespace_pid() != 0 && victim.namespace_pid() != victim.tgid()) {
      who += fmt::format(" (host {})", victim.tgid());
    }
    who += fmt::format(
        ", uid {}, oom_score_adj {}", victim.has_uid() ? std::to_string(victim.uid()) : "unknown",
        victim.has_oom_score_adj() ? std::to_string(victim.oom_score_adj()) : "unknown");
    if (!victim.parent_comm().empty()) {
      who += ", child of " + Parents(victim);
    }
    if (oom.victims_total() > 1) {
      who += fmt::format(", {} more killed with it", oom.victims_total() - 1);
    }
    page->Text("WHAT", who, 2);
    if (!victim.cmdline().empty()) {
      page->Text("", ElideMiddle(victim.cmdline(), page->text_width()), 1, Style::kDim);
    }
    page->Items("", MemoryParts(victim.memory()), 1);
  }
  AddStat(oom, page);
  AddLevels(oom, page);
}

void AddWho(const v1::OomEvent& oom, Page* page) {
  if (oom.top_users().empty()) {
    page->Text("WHO", "not ranked: who else held memory is unknown", 1);
    return;
  }
  const v1::Ranking& ranking = oom.ranking();
  const auto whole =
      ranking.has_visited_total() ? ResidentAndSwap(ranking.visited_total()) : std::nullopt;
  std::vector<std::string> items;
  for (const v1::MemoryUser& user : oom.top_users()) {
    items.push_back(fmt::format(
        "{} {}{}{}",
        ElideMiddle(ProcessName(user.comm(), user.namespace_pid(), user.tgid()), kNameWidth),
        MemoryText(ResidentAndSwap(user.memory())), Share(user.memory(), whole),
        user.victim() ? " (victim)" : ""));
  }
  page->Items("WHO", items, 2);
  if (ranking.processes_visited() == 0) {
    page->Text("", fmt::format("{} listed; how many there were is unknown", oom.top_users_size()),
               1);
    return;
  }
  std::string text =
      fmt::format("ranked {} of {} {}", oom.top_users_size(), ranking.processes_visited(),
                  ranking.processes_visited() == 1 ? "process" : "processes");
  if (whole) {
    text += fmt::format("; 100 % = {}, resident and swap of all", MemoryText(whole));
  }
  if (ranking.truncated()) {
    text += fmt::format("; cut short after {} threads, a bigger one may be missing",
                        ranking.threads_visited());
  }
  page->Text("", text, 2, ranking.truncated() ? Style::kYellow : Style::kDim);
}

}  // namespace oombox
