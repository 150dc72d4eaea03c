#include "tests/unit/oombox/pressure_samples.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace oombox {

namespace {

using google::protobuf::TextFormat;
using google::protobuf::util::TimeUtil;

v1::Event Make(const std::string& id, int64_t age_ns, const std::string& pressure) {
  v1::Event event;
  if (!TextFormat::ParseFromString(pressure, event.mutable_pressure())) {
    ADD_FAILURE() << "a sample is no message: " << pressure;
  }
  event.set_event_id(id);
  event.set_revision(1);
  event.set_final(true);
  event.set_view(v1::EVENT_VIEW_FULL);
  *event.mutable_event_time() = TimeUtil::NanosecondsToTimestamp(kNow - age_ns);
  *event.mutable_pressure()->mutable_previous_since() =
      TimeUtil::NanosecondsToTimestamp(kNow - age_ns - 10 * kMinute);
  event.mutable_node()->set_node_name("ip-10-3-41-17");
  return event;
}

constexpr const char* kWorker = R"(
    container { container_id: "8f1e" container_name: "worker" pod_name: "ocr-7c9d6b5f4-x2kqp"
                namespace_name: "sie" image_name: "ocr:2.4.1" owner: "deployment/ocr"
                qos_class: "Burstable" restart_count: 14 }
    workload: "sie/deployment/ocr" )";

void AddTo(v1::NodeStatus& node, const std::string& container) {
  if (!TextFormat::ParseFromString(container, node.mutable_report()->add_containers())) {
    ADD_FAILURE() << "a sample is no message: " << container;
  }
}

}  // namespace

v1::Event WarningSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, std::string(kWorker) + R"(
    state: STATE_WARNING previous_state: STATE_OK cause: CAUSE_WORKING_SET
    cgroup { path: "/kubepods.slice/pod3b2c/cri-8f1e.scope" usage_bytes: 1803550720
             max_bytes: 2147483648
             stat { anon_bytes: 1614807040 file_bytes: 146800640 shmem_bytes: 4194304
                    kernel_bytes: 20971520 sock_bytes: 4096 } }
    working_set_bytes: 1760936591 unreclaimable_bytes: 1635778560
    pressure { some_avg10_percent: 0 full_avg10_percent: 0 some_avg60_percent: 0
               full_avg60_percent: 0 }
    trend { growth_bytes_per_second: 6291456 window { seconds: 60 }
            time_to_limit { seconds: 61 } confidence: CONFIDENCE_HIGH }
    missing { field: "pressure.reclaim" reason: "no reclaim was seen, or it is not watched" })");
}

v1::Event CriticalSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, std::string(kWorker) + R"(
    state: STATE_CRITICAL previous_state: STATE_WARNING cause: CAUSE_WORKING_SET
    cgroup { path: "/kubepods.slice/pod3b2c/cri-8f1e.scope" usage_bytes: 2136997888
             max_bytes: 2147483648 high_bytes: 2040109465
             stat { anon_bytes: 2019557376 file_bytes: 83886080 shmem_bytes: 4194304
                    kernel_bytes: 20971520 sock_bytes: 4096 } }
    working_set_bytes: 2104533975 unreclaimable_bytes: 2044726272
    pressure { some_avg10_percent: 61.25 full_avg10_percent: 45.5 some_avg60_percent: 14
               full_avg60_percent: 9.5
               reclaim { attribution: ATTRIBUTION_TASK count: 412
                         total { seconds: 3 nanos: 200000000 } longest { nanos: 84000000 }
                         reclaimed_bytes: 62914560 } }
    trend { growth_bytes_per_second: 5452595 window { seconds: 60 }
            time_to_limit { seconds: 7 nanos: 880000000 } confidence: CONFIDENCE_MEDIUM }
    kill_event_id: "9f2mca0123456789")");
}

v1::Event StallsSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    state: STATE_CRITICAL previous_state: STATE_OK cause: CAUSE_STALLS
    cgroup { path: "/system.slice/batch.service" usage_bytes: 209711104 max_bytes: 209715200 }
    working_set_bytes: 125829120 unreclaimable_bytes: 31457280
    pressure { some_avg10_percent: 88 full_avg10_percent: 71.3 }
    missing { field: "trend" reason: "it was read too few times yet" }
    workload: "/system.slice/batch.service")");
}

v1::Event RemovedSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, std::string(kWorker) + R"(
    state: STATE_OK previous_state: STATE_CRITICAL cause: CAUSE_REMOVED
    cgroup { path: "/kubepods.slice/pod3b2c/cri-8f1e.scope" usage_bytes: 2136997888
             max_bytes: 2147483648 }
    working_set_bytes: 2104533975
    trend { growth_bytes_per_second: 50452595 window { seconds: 60 }
            time_to_limit { nanos: 880000000 } confidence: CONFIDENCE_MEDIUM }
    missing { field: "pressure.some_avg10_percent"
              reason: "no memory.pressure: the kernel's PSI is off, or it is cgroup v1" }
    missing { field: "pressure.reclaim" reason: "no reclaim was seen, or it is not watched" })");
}

v1::Event LimitChangedSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    state: STATE_OK previous_state: STATE_WARNING cause: CAUSE_LIMIT_CHANGED
    cgroup { path: "/system.slice/db.service" usage_bytes: 943718400 max_bytes: 4294967296 }
    working_set_bytes: 891289600 unreclaimable_bytes: 838860800
    pressure { some_avg10_percent: 0 full_avg10_percent: 0 reclaim { count: 3 } }
    trend { growth_bytes_per_second: -291 window { seconds: 600 } confidence: CONFIDENCE_LOW }
    workload: "/system.slice/db.service")");
}

v1::Event NodePressureSample(const std::string& id, int64_t age_ns) {
  return Make(id, age_ns, R"(
    state: STATE_WARNING previous_state: STATE_OK cause: CAUSE_WORKING_SET whole_node: true
    cgroup { path: "/" usage_bytes: 32212254720 max_bytes: 33285996544 }
    working_set_bytes: 27917287424 unreclaimable_bytes: 9663676416
    pressure { some_avg10_percent: 3.2 full_avg10_percent: 0.1 }
    trend { growth_bytes_per_second: 12725 window { seconds: 3600 }
            time_to_limit { seconds: 421200 } confidence: CONFIDENCE_LOW }
    workload: "node")");
}

std::vector<v1::Event> PressureSamples() {
  return {WarningSample(), CriticalSample(),     StallsSample(),
          RemovedSample(), LimitChangedSample(), NodePressureSample()};
}

v1::NodeStatus WatchingNode() {
  v1::NodeStatus node = CompleteNode();
  AddTo(node, R"(
    cgroup_path: "/kubepods.slice/pod3b2c/cri-8f1e.scope" restarts: 14
    container { container_id: "8f1e" container_name: "worker" pod_name: "ocr-7c9d6b5f4-x2kqp"
                namespace_name: "sie" owner: "deployment/ocr" qos_class: "Burstable" }
    usage_bytes: 1803550720 working_set_bytes: 1760936591 limit_bytes: 2147483648
    state: STATE_WARNING
    pressure { some_avg10_percent: 12.4 full_avg10_percent: 0.2 }
    trend { growth_bytes_per_second: 143165 time_to_limit { seconds: 2700 }
            confidence: CONFIDENCE_HIGH })");
  AddTo(node, R"(
    cgroup_path: "/kubepods.slice/pod77aa/cri-10bd.scope" restarts: 0
    container { container_id: "10bd" container_name: "session-cache" pod_name: "session-cache-0"
                namespace_name: "shop" owner: "statefulset/session-cache" qos_class: "Guaranteed" }
    usage_bytes: 1072693248 working_set_bytes: 1041235968 limit_bytes: 1073741824
    state: STATE_CRITICAL
    pressure { some_avg10_percent: 61.25 full_avg10_percent: 45.5 }
    trend { growth_bytes_per_second: 2097152 time_to_limit { seconds: 15 }
            confidence: CONFIDENCE_LOW })");
  AddTo(node, R"(
    cgroup_path: "/kubepods.slice/pod99/cri-77c0ffee0123456789.scope"
    container { container_id: "77c0ffee0123456789" pod_uid: "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9" }
    usage_bytes: 52428800 working_set_bytes: 41943040 state: STATE_OK
    pressure { some_avg10_percent: 0 full_avg10_percent: 0 }
    trend { growth_bytes_per_second: 0 confidence: CONFIDENCE_HIGH })");
  AddTo(node, R"(
    cgroup_path: "/system.slice/batch.service"
    usage_bytes: 209711104 working_set_bytes: 125829120 limit_bytes: 209715200
    state: STATE_OK
    pressure { reclaim { avg10_percent: 7 } }
    trend { growth_bytes_per_second: -3400 confidence: CONFIDENCE_LOW })");
  v1::PressureWatch& watch = *node.mutable_report()->mutable_pressure_watch();
  if (!TextFormat::ParseFromString(R"(
    cgroups_total: 240 cgroups_watched: 4 curves: 4 warning: 2 critical: 1 damped: 3
    readings: 1000 reading_time { seconds: 2 nanos: 400000000 }
    reclaim { attribution: ATTRIBUTION_TASK reclaims: 5210 lost: 4 }
    node { usage_bytes: 32212254720 working_set_bytes: 27917287424 limit_bytes: 33285996544
           state: STATE_WARNING pressure { some_avg10_percent: 3.2 full_avg10_percent: 0.1 }
           trend { growth_bytes_per_second: 12725 time_to_limit { seconds: 421200 }
                   confidence: CONFIDENCE_LOW } })",
                                   &watch)) {
    ADD_FAILURE() << "a sample is no message";
  }
  node.mutable_report()->set_containers_total(4);
  return node;
}

}  // namespace oombox
