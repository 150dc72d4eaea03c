#include "tests/unit/oombox/sample_events.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) {
    ADD_FAILURE() << "a sample is no message: " << text;
  }
  return message;
}

v1::Event Make(const std::string& id, int64_t age_ns, const std::string& body) {
  v1::Event event = FromText<v1::Event>(body);
  event.set_event_id(id);
  event.set_revision(1);
  event.set_view(v1::EVENT_VIEW_FULL);
  *event.mutable_event_time() = TimeUtil::NanosecondsToTimestamp(kNow - age_ns);
  event.mutable_node()->set_node_name("node-1");
  event.mutable_node()->set_kernel_release("6.1.0-30-amd64");
  return event;
}

std::string Repeat(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

}  // namespace

v1::Event HogEvent(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    boottime_ns: 86400123456789 final: true
    oom {
      trigger { tgid: 4711 tid: 4711 comm: "hog" }
      victims {
        tgid: 4711 tid: 4711 namespace_pid: 4711 parent_tgid: 4700 parent_comm: "bash" comm: "hog" uid: 0 oom_score_adj: 0
        start_boottime_ns: 86300000000000
        memory { anon_bytes: 186646528 file_bytes: 1310720 shmem_bytes: 0 swap_bytes: 0
                 page_tables_bytes: 409600 total_vm_bytes: 198180864 error_bound_bytes: 131072 }
        cgroup_id: 777 rank: 1 role: VICTIM_ROLE_CHOSEN
      }
      victims_total: 1
      scope: OOM_SCOPE_CGROUP
      limit_hit { cgroup_id: 777 cgroup_path: "/system.slice/batch.service" limit_bytes: 209715200
                  usage_bytes: 209711104 level: 0 provenance: PROVENANCE_INFERRED }
      cgroups { id: 777 path: "/system.slice/batch.service" usage_bytes: 209711104
                max_bytes: 209715200 }
      cgroups { id: 70 path: "/system.slice" usage_bytes: 1822425088 }
      cgroups { id: 1 path: "/" }
      top_users { tgid: 4711 namespace_pid: 4711 comm: "hog" victim: true
                  memory { anon_bytes: 186646528 file_bytes: 1310720 shmem_bytes: 0 swap_bytes: 0 } }
      top_users { tgid: 4650 namespace_pid: 4650 comm: "neighbour"
                  memory { anon_bytes: 15728640 file_bytes: 1048576 shmem_bytes: 0 swap_bytes: 0 } }
      ranking { threads_visited: 3 processes_visited: 2 cgroup_id: 777
                visited_total { anon_bytes: 202375168 file_bytes: 2359296 shmem_bytes: 0
                                swap_bytes: 0 } }
      quality { missing { field: "limit_hit" reason: "the kernel does not tell, no fentry" }
                provenance: PROVENANCE_AT_KILL }
      workload: "/system.slice/batch.service"
    })");
}

v1::Event ChildEvent(const std::string& id, int64_t age_ns) {
  v1::Event event = Make(id, age_ns, R"(
    final: true
    oom {
      trigger { tgid: 52001 tid: 52007 comm: "gunicorn" }
      victims {
        tgid: 52044 tid: 52044 namespace_pid: 31 parent_tgid: 52001 parent_comm: "gunicorn"
        comm: "python3" uid: 1000 oom_score_adj: 937
        memory { anon_bytes: 1826619392 file_bytes: 12582912 shmem_bytes: 4194304
                 page_tables_bytes: 3772416 total_vm_bytes: 2147483648
                 exact { anon_bytes: 1826357248 file_bytes: 12582912 shmem_bytes: 4194304
                         swap_bytes: 0 } }
        cgroup_id: 901 rank: 1 role: VICTIM_ROLE_CHOSEN
      }
      victims { tgid: 52045 comm: "python3" role: VICTIM_ROLE_GROUP_MEMBER }
      victims_total: 3
      scope: OOM_SCOPE_CONTAINER
      limit_hit { cgroup_id: 901 limit_bytes: 2147483648 usage_bytes: 2147483648 level: 0
                  provenance: PROVENANCE_AT_KILL
                  cgroup_path: "/kubepods.slice/kubepods-burstable.slice/pod3b2c/cri-8f1e.scope" }
      cgroups { path: "/kubepods.slice/kubepods-burstable.slice/pod3b2c/cri-8f1e.scope"
                usage_bytes: 2147483648 max_bytes: 2147483648 oom_group: true }
      cgroups { path: "/kubepods.slice/kubepods-burstable.slice/pod3b2c" usage_bytes: 2148483648 }
      cgroups { path: "/kubepods.slice/kubepods-burstable.slice" usage_bytes: 9148483648 }
      cgroups { path: "/kubepods.slice" usage_bytes: 12148483648 max_bytes: 30000000000 }
      cgroups { path: "/a" usage_bytes: 12148483648 }
      cgroups { path: "/" }
      top_users { tgid: 52044 namespace_pid: 31 comm: "python3" victim: true
                  memory { anon_bytes: 1826357248 file_bytes: 12582912 shmem_bytes: 4194304
                           swap_bytes: 0 } }
      top_users { tgid: 52001 namespace_pid: 1 comm: "gunicorn"
                  memory { anon_bytes: 147849216 file_bytes: 1048576 shmem_bytes: 0 swap_bytes: 0 } }
      top_users { tgid: 52060 namespace_pid: 44 comm: "python3" memory { anon_bytes: 53477376 } }
      ranking { threads_visited: 900 processes_visited: 12 truncated: true }
      container { container_id: "8f1e" container_name: "worker" pod_name: "ocr-7c9d6b5f4-x2kqp"
                  namespace_name: "sie" image_name: "ocr:2.4.1" owner: "deployment/ocr"
                  qos_class: "Burstable" restart_count: 14 }
      quality { provenance: PROVENANCE_AT_KILL }
      workload: "sie/deployment/ocr"
    })");
  event.mutable_node()->set_cluster_name("prod-eu1");
  event.mutable_node()->set_node_name("ip-10-3-41-17");
  return event;
}

v1::Event NodeEvent(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    oom {
      victims { tgid: 88 comm: "postgres" memory { anon_bytes: 4294967296 } }
      victims_total: 1
      scope: OOM_SCOPE_NODE
      quality { missing { field: "top_users" reason: "the record was cut short" } }
    })");
}

v1::Event LoggedEvent(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    final: true
    oom {
      victims { tgid: 9400 tid: 9400 comm: "memhog" uid: 0 oom_score_adj: 500
                memory { anon_bytes: 8650752 file_bytes: 1437696 shmem_bytes: 0
                         page_tables_bytes: 69632 total_vm_bytes: 15507456 } }
      victims_total: 1
      scope: OOM_SCOPE_CGROUP
      limit_hit { cgroup_path: "/pods/a" usage_bytes: 8388608 limit_bytes: 8388608 level: 0
                  provenance: PROVENANCE_RECONSTRUCTED }
      cgroups { path: "/pods/a" }
      cgroups { path: "/pods" }
      cgroups { path: "/" }
      quality { provenance: PROVENANCE_RECONSTRUCTED
                missing { field: "cgroups.usage_bytes" reason: "the kernel log does not say" }
                missing { field: "top_users" reason: "the kernel log does not say" }
                missing { field: "trigger" reason: "the kernel log does not say" }
                missing { field: "curve" reason: "the kernel log does not say" } }
      workload: "/pods/a"
    })");
}

v1::Event GapEventSample(const std::string& id, int64_t age_ns) {
  v1::Event event = Make(id, age_ns, R"(
    gap { cause: CAUSE_RING_FULL count: 3 detail: "cpu 1 dropped 3 records" })");
  *event.mutable_gap()->mutable_start_time() = TimeUtil::NanosecondsToTimestamp(kNow - 4 * kHour);
  *event.mutable_gap()->mutable_end_time() = TimeUtil::NanosecondsToTimestamp(kNow - 3 * kHour);
  return event;
}

v1::Event HostileEvent() {
  v1::Event event = HogEvent("hqst1e0123456789", 5 * kMinute);
  v1::OomEvent* oom = event.mutable_oom();
  oom->mutable_victims(0)->set_comm("\033[2J\033]0;owned\007");
  oom->mutable_victims(0)->set_parent_comm("a\nb\rc");
  oom->mutable_top_users(0)->set_comm(
      "\xe2\x80\xae"
      "gnp.exe");                                                // right-to-left override
  oom->mutable_top_users(1)->set_comm("\xff\xfe\x80");           // no UTF-8
  oom->mutable_trigger()->set_comm("\xe6\xbc\xa2\xe5\xad\x97");  // two wide characters
  const std::string path = "/" + Repeat("\xe6\xbc\xa2/very-long-name\033[31m/", 200);
  oom->mutable_cgroups(0)->set_path(path);
  oom->mutable_limit_hit()->set_cgroup_path(path);
  oom->set_workload(path);
  event.mutable_node()->set_node_name(
      "node\t\xc2\x9b"
      "31m");
  event.mutable_node()->set_cluster_name(Repeat("x", 4096));
  auto* missing = oom->mutable_quality()->add_missing();
  missing->set_field("curve\033[1A");
  missing->set_reason(Repeat("because \033[5m", 500));
  for (int i = 0; i < 20; ++i) {
    *oom->add_cgroups() = oom->cgroups(0);
    *oom->add_top_users() = oom->top_users(0);
    *oom->mutable_quality()->add_missing() = *missing;
  }
  return event;
}

v1::CoverageSummary CompleteCoverage() {
  return FromText<v1::CoverageSummary>("nodes_known: 1 nodes_complete: 1");
}

v1::CoverageSummary PartialCoverage() {
  return FromText<v1::CoverageSummary>(R"(
    nodes_known: 2000 nodes_complete: 1997
    incomplete_nodes { node_name: "ip-10-3-9-2" coverage { state: STATE_UNKNOWN }
                       last_report_age { seconds: 240 } }
    incomplete_nodes { node_name: "ip-10-3-9-7"
                       coverage { state: STATE_INCOMPLETE reason: "3 kills lost" } })");
}

v1::NodeStatus CompleteNode() {
  auto node = FromText<v1::NodeStatus>(R"(
    report {
      node { node_name: "ip-10-3-41-17" } agent_version: "0.1.0"
      accounting { kernel_kills: 15 captured: 14 double_counted: 1 events: 12 dropped_recursion: 0 }
      cost { resident_bytes: 29360128 cpu_time { seconds: 1036 } }
    }
    connected: true last_report_age { seconds: 4 }
    coverage { state: STATE_COMPLETE
               unavailable { field: "limit_hit" reason: "fentry does not attach here" } })");
  *node.mutable_report()->mutable_report_time() = TimeUtil::NanosecondsToTimestamp(kNow);
  *node.mutable_report()->mutable_agent_start_time() =
      TimeUtil::NanosecondsToTimestamp(kNow - 12 * kDay);
  *node.mutable_coverage()->mutable_complete_since() =
      TimeUtil::NanosecondsToTimestamp(kNow - 12 * kDay);
  return node;
}

v1::NodeStatus SilentNode() {
  return FromText<v1::NodeStatus>(R"(
    report { node { node_name: "ip-10-3-9-2" } agent_version: "0.1.0"
             accounting { kernel_kills: 99 captured: 99 events: 99 } }
    last_report_age { seconds: 240 }
    coverage { state: STATE_UNKNOWN })");
}

}  // namespace oombox
