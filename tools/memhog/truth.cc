#include "tools/memhog/truth.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "agent/common/text.h"
#include "tools/memhog/json.h"
#include "tools/memhog/unescape.h"

namespace oombox {
namespace {

JsonObject ToJson(const CgroupTruth& cgroup) {
  return JsonObject()
      .Text("path", EscapeUntrusted(cgroup.path))
      .Unsigned("id", cgroup.id)
      .Unsigned("limit_bytes", cgroup.limit_bytes)
      .Bool("swap_disabled", cgroup.swap_disabled)
      .Optional("oom_kill_before", cgroup.oom_kill_before)
      .Optional("oom_kill_after", cgroup.oom_kill_after)
      .Optional("oom_before", cgroup.oom_before)
      .Optional("oom_after", cgroup.oom_after);
}

JsonObject ToJson(const ProcessTruth& process) {
  const ProcessFacts& facts = process.facts;
  return JsonObject()
      .Text("role", process.role)
      .Number("pid", facts.pid)
      .Number("tgid", facts.tgid)
      .Number("parent_pid", facts.parent_pid)
      .Number("namespace_pid", facts.namespace_pid)
      .Text("comm", EscapeUntrusted(facts.comm))
      .Text("comm_hex", ToHex(facts.comm))
      .Unsigned("uid", facts.uid)
      .Number("oom_score_adj", facts.oom_score_adj)
      .Unsigned("start_ticks", facts.start_ticks)
      .Unsigned("cgroup_id", process.cgroup_id)
      .Unsigned("touched_bytes", process.touched_bytes)
      .Number("wait_status", process.wait_status)
      .Bool("sigkilled", process.WasSigkilled())
      .Bool("expected_kill", process.expect_kill);
}

template <typename T>
std::vector<JsonObject> ToJson(const std::vector<T>& items) {
  std::vector<JsonObject> objects;
  objects.reserve(items.size());
  for (const T& item : items) {
    objects.push_back(ToJson(item));
  }
  return objects;
}

JsonObject Moment(int64_t wall_ns, uint64_t boottime_ns) {
  return JsonObject().Number("wall_ns", wall_ns).Unsigned("boottime_ns", boottime_ns);
}

}  // namespace

bool ProcessTruth::WasSigkilled() const {
  return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
}

uint64_t Truth::ExpectedKills() const {
  return static_cast<uint64_t>(
      std::count_if(processes.begin(), processes.end(), [](auto& p) { return p.expect_kill; }));
}

uint64_t Truth::ObservedKills() const {
  return static_cast<uint64_t>(
      std::count_if(processes.begin(), processes.end(), [](auto& p) { return p.WasSigkilled(); }));
}

bool Truth::AsPlanned() const {
  return std::all_of(processes.begin(), processes.end(),
                     [](auto& p) { return p.expect_kill == p.WasSigkilled(); });
}

std::string ToJson(const Truth& truth) {
  return JsonObject()
      .Text("scenario", truth.scenario)
      .Number("cgroup_version", truth.cgroup_version)
      .Number("page_bytes", ::sysconf(_SC_PAGESIZE))
      .Number("ticks_per_second", ::sysconf(_SC_CLK_TCK))
      .Array("cgroups", ToJson(truth.cgroups))
      .Array("processes", ToJson(truth.processes))
      .Unsigned("expected_kills", truth.ExpectedKills())
      .Unsigned("observed_kills", truth.ObservedKills())
      .Object("start", Moment(truth.start_wall_ns, truth.start_boottime_ns))
      .Object("end", Moment(truth.end_wall_ns, truth.end_boottime_ns))
      .ToString();
}

}  // namespace oombox
