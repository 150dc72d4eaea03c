#include "agent/capture/kernel_log_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace oombox {

namespace {

constexpr size_t kCommBytes = 15;  // TASK_COMM_LEN - 1
// The kernel writes the line in a few milliseconds; a tgid is not used again so fast.
constexpr uint64_t kSameKillUs = 2'000'000;
// Two CPUs may take their times in one order and their places in the log in the other.
uint64_t Apart(uint64_t a_us, uint64_t b_us) { return a_us < b_us ? b_us - a_us : a_us - b_us; }

constexpr size_t kMaxLineBytes = 16384;  // two paths of PATH_MAX and what is around them

template <typename T>
std::optional<T> Number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) {
    return false;
  }
  text->remove_prefix(prefix.size());
  return true;
}

// Up to `separator`, which is taken, too; nothing when it is not there.
std::optional<std::string_view> TakeUntil(std::string_view* text, std::string_view separator) {
  const size_t at = text->find(separator);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view taken = text->substr(0, at);
  text->remove_prefix(at + separator.size());
  return taken;
}

// "12kB" and what may follow of punctuation.
std::optional<uint64_t> Kilobytes(std::string_view text) {
  if (text.ends_with(',')) {
    text.remove_suffix(1);
  }
  if (!text.ends_with("kB")) {
    return std::nullopt;
  }
  text.remove_suffix(2);
  const auto number = Number<uint64_t>(text);
  return number && *number <= UINT64_MAX / 1024 ? std::optional(*number * 1024) : std::nullopt;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x' &&
        HexDigit(text[i + 2]) >= 0 && HexDigit(text[i + 3]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 2]) * 16 + HexDigit(text[i + 3]));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "total-vm:15144kB, anon-rss:8448kB, ... UID:0 pgtables:68kB oom_score_adj:500" (mm/oom_kill.c,
// __oom_kill_process); what a kernel prints more or less than that is no error.
void TakeValues(std::string_view values, LoggedKill* kill) {
  while (!values.empty()) {
    const size_t space = std::min(values.find(' '), values.size());
    std::string_view value = values.substr(0, space);
    values.remove_prefix(std::min(space + 1, values.size()));
    const auto name = TakeUntil(&value, ":");
    if (!name) {
      continue;
    }
    if (*name == "total-vm") {
      kill->total_vm_bytes = Kilobytes(value);
    } else if (*name == "anon-rss") {
      kill->anon_bytes = Kilobytes(value);
    } else if (*name == "file-rss") {
      kill->file_bytes = Kilobytes(value);
    } else if (*name == "shmem-rss") {
      kill->shmem_bytes = Kilobytes(value);
    } else if (*name == "pgtables") {
      kill->page_tables_bytes = Kilobytes(value);
    } else if (*name == "UID") {
      kill->uid = Number<uint32_t>(value);
    } else if (*name == "oom_score_adj") {
      kill->oom_score_adj = Number<int32_t>(value);
    }
  }
}

// "Memory cgroup out of memory: Killed process 9400 (memhog) total-vm:..."
std::optional<LoggedKill> ParseKilled(std::string_view text) {
  LoggedKill kill;
  kill.cgroup_limit = TakePrefix(&text, "Memory cgroup out of memory: ");
  if (!kill.cgroup_limit && !TakePrefix(&text, "Out of memory: ") &&
      !TakePrefix(&text, "Out of memory (oom_kill_allocating_task): ")) {
    return std::nullopt;
  }
  if (!TakePrefix(&text, "Killed process ")) {
    return std::nullopt;
  }
  const auto pid_text = TakeUntil(&text, " (");
  const auto pid = Number<uint32_t>(pid_text.value_or(""));
  // The last one: behind it the kernel writes numbers only, before it a name may say anything.
  const size_t end = text.rfind(") total-vm:");
  if (!pid || *pid == 0 || end == std::string_view::npos || end > kCommBytes) {
    return std::nullopt;
  }
  kill.tgid = *pid;
  kill.comm = text.substr(0, end);
  TakeValues(text.substr(end + 2), &kill);
  if (kill.cgroup_limit) {
    kill.constraint = LoggedKill::Constraint::kMemcg;
  }
  return kill;
}

std::optional<LoggedKill::Constraint> ConstraintOf(std::string_view name) {
  using Constraint = LoggedKill::Constraint;
  if (name == "CONSTRAINT_NONE") {
    return Constraint::kNone;
  }
  if (name == "CONSTRAINT_CPUSET") {
    return Constraint::kCpuset;
  }
  if (name == "CONSTRAINT_MEMORY_POLICY") {
    return Constraint::kMemoryPolicy;
  }
  return name == "CONSTRAINT_MEMCG" ? std::optional(Constraint::kMemcg) : std::nullopt;
}

// The line begins and ends as mm/oom_kill.c (dump_oom_victim) writes it:
//   oom-kill:constraint=C,nodemask=..,cpuset=NAME,mems_allowed=0-1,oom_memcg=PATH,task_memcg=PATH,
//   task=COMM,pid=1,uid=0
// where a kill of the machine has "global_oom" in the place of oom_memcg.
struct ReportLine {
  std::string_view constraint;
  std::string_view middle;  // from "nodemask" to the end of task_memcg
  uint32_t pid = 0;
};

// `comm` is the name in the line "Killed process": it tells where the name begins, which may itself
// hold ",task=".
std::optional<ReportLine> SplitReport(std::string_view text, std::string_view comm) {
  ReportLine line;
  if (!TakePrefix(&text, "oom-kill:constraint=")) {
    return std::nullopt;
  }
  const auto constraint = TakeUntil(&text, ",");
  const size_t uid_at = text.rfind(",uid=");
  const size_t pid_at = text.substr(0, uid_at).rfind(",pid=");
  if (!constraint || uid_at == std::string_view::npos || pid_at == std::string_view::npos ||
      !Number<uint32_t>(text.substr(uid_at + 5))) {
    return std::nullopt;
  }
  const auto pid = Number<uint32_t>(text.substr(pid_at + 5, uid_at - pid_at - 5));
  const std::string name = ",task=" + std::string(comm);
  line.middle = text.substr(0, pid_at);
  if (!pid || !line.middle.ends_with(name)) {
    return std::nullopt;
  }
  line.middle.remove_suffix(name.size());
  line.constraint = *constraint;
  line.pid = *pid;
  return line;
}

std::vector<size_t> FindAll(std::string_view text, std::string_view what) {
  std::vector<size_t> found;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    found.push_back(at);
  }
  return found;
}

// What the kernel writes before the paths ends with a list of nodes: "...,mems_allowed=0-3,7".
bool EndsWithNodes(std::string_view text) {
  constexpr std::string_view kKey = ",mems_allowed=";
  const size_t at = text.rfind(kKey);
  return at != std::string_view::npos &&
         text.substr(at + kKey.size()).find_first_not_of("0123456789,-") == std::string_view::npos;
}

bool IsWithin(std::string_view path, std::string_view ancestor) {
  return path == ancestor || ancestor == "/" ||
         (path.starts_with(ancestor) && path[ancestor.size()] == '/');
}

struct Paths {
  std::optional<std::string> fired;
  std::optional<std::string> victim;
};

// Every way to read the paths: names of cgroups and cpusets may look like the words between them.
std::vector<Paths> ReadPaths(std::string_view middle, bool cgroup_limit) {
  constexpr std::string_view kFired = ",oom_memcg=";
  constexpr std::string_view kGlobal = ",global_oom";
  constexpr std::string_view kVictim = ",task_memcg=";
  std::vector<Paths> readings;
  for (const size_t victim_at : FindAll(middle, kVictim)) {
    const std::string_view victim = middle.substr(victim_at + kVictim.size());
    std::string_view before = middle.substr(0, victim_at);
    if (!victim.starts_with('/')) {
      continue;
    }
    if (!cgroup_limit) {
      if (before.ends_with(kGlobal) &&
          EndsWithNodes(before.substr(0, before.size() - kGlobal.size()))) {
        readings.push_back({std::nullopt, std::string(victim)});
      }
      continue;
    }
    for (const size_t fired_at : FindAll(before, kFired)) {
      const std::string_view fired = before.substr(fired_at + kFired.size());
      if (fired.starts_with('/') && IsWithin(victim, fired) &&
          EndsWithNodes(before.substr(0, fired_at))) {
        readings.push_back({std::string(fired), std::string(victim)});
      }
    }
  }
  return readings;
}

// "memory: usage 204800kB, limit 204800kB, failcnt 93" (mm/memcontrol.c).
struct Usage {
  uint64_t usage_bytes = 0;
  uint64_t limit_bytes = 0;
};

std::optional<Usage> ParseUsage(std::string_view text) {
  if (!TakePrefix(&text, "memory: usage ")) {
    return std::nullopt;
  }
  const auto usage = Kilobytes(TakeUntil(&text, ", limit ").value_or(""));
  const auto limit = Kilobytes(TakeUntil(&text, ", failcnt ").value_or(""));
  return usage && limit && Number<uint64_t>(text) ? std::optional(Usage{*usage, *limit})
                                                  : std::nullopt;
}

bool BeginsReport(std::string_view text) {
  const size_t at = text.find(" invoked oom-killer: gfp_mask=");
  return at != std::string_view::npos && at <= kCommBytes;
}

bool AnnouncesGroup(std::string_view text) {
  return text.starts_with("Tasks in ") &&
         text.ends_with(" are going to be killed due to memory.oom.group set");
}

}  // namespace

std::optional<KmsgRecord> ParseKmsgRecord(std::string_view bytes) {
  auto prefix = TakeUntil(&bytes, ";");
  if (!prefix) {
    return std::nullopt;
  }
  const auto priority = Number<uint32_t>(TakeUntil(&*prefix, ",").value_or(""));
  const auto sequence = Number<uint64_t>(TakeUntil(&*prefix, ",").value_or(""));
  const auto time = Number<uint64_t>(TakeUntil(&*prefix, ",").value_or(""));
  if (!priority || !sequence || !time) {
    return std::nullopt;
  }
  // The facility is above the three bits of the level; 0 is the kernel's, and no program can write
  // a record with it (kernel/printk/printk.c, devkmsg_write).
  return KmsgRecord{.from_kernel = (*priority >> 3) == 0,
                    .continues = prefix->starts_with('c'),
                    .time_us = *time,
                    .text = Unescape(bytes.substr(0, bytes.find('\n')))};
}

void KernelLogParser::Feed(const KmsgRecord& record) {
  if (!record.from_kernel) {
    return;
  }
  const std::string_view text = record.text;
  if (record.continues) {
    // The report's line is long and written in pieces: what does not fit comes apart.
    if (!report_.line.empty() && report_.line.size() + text.size() <= kMaxLineBytes) {
      report_.line += text;
    }
  } else if (auto kill = ParseKilled(text)) {
    kill->log_time_us = record.time_us;
    AddKill(std::move(*kill));
  } else if (text.starts_with("oom-kill:constraint=")) {
    report_.line = text;
    group_time_us_.reset();
  } else if (BeginsReport(text)) {
    report_ = {};
    group_time_us_.reset();
  } else if (const auto usage = ParseUsage(text)) {
    report_.usage_bytes = usage->usage_bytes;
    report_.limit_bytes = usage->limit_bytes;
  } else if (AnnouncesGroup(text)) {
    group_time_us_ = record.time_us;
  }
}

// Without a report of its own and close behind the announcement, a kill counts as one of the group:
// where the kernel suppressed the report of the next kill, that one may be taken for it.
void KernelLogParser::AddKill(LoggedKill kill) {
  const Report report = std::exchange(report_, {});
  const auto line = SplitReport(report.line, kill.comm);
  if (line && line->pid == kill.tgid) {
    kill.constraint = ConstraintOf(line->constraint);
    const auto readings = ReadPaths(line->middle, kill.cgroup_limit);
    if (readings.size() == 1) {
      kill.fired_cgroup = readings.front().fired;
      kill.victim_cgroup = readings.front().victim;
    }
    if (kill.cgroup_limit) {
      kill.usage_bytes = report.usage_bytes;
      kill.limit_bytes = report.limit_bytes;
    }
  } else {
    kill.group_member = kill.cgroup_limit && group_time_us_ &&
                        Apart(kill.log_time_us, *group_time_us_) < kSameKillUs;
  }
  if (!IsKnown(kill)) {
    kills_.push_back(std::move(kill));
  }
}

// The first victim of a group is killed, and logged, twice.
bool KernelLogParser::IsKnown(const LoggedKill& kill) const {
  for (auto other = kills_.rbegin(); other != kills_.rend(); ++other) {
    if (Apart(kill.log_time_us, other->log_time_us) >= kSameKillUs) {
      return false;
    }
    if (other->tgid == kill.tgid) {
      return true;
    }
  }
  return false;
}

std::vector<LoggedKill> KernelLogParser::Take() && { return std::move(kills_); }

}  // namespace oombox
