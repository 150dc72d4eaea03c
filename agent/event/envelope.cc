#include "agent/event/envelope.h"

#include <google/protobuf/util/time_util.h>

namespace oombox {

EventContext ContextOf(const JournalSession& session, const std::string& cluster_name,
                       const std::string& node_name, bool replayed) {
  return {.cluster_name = cluster_name,
          .node_name = node_name,
          .boot_id = session.boot_id,
          .kernel_release = session.kernel_release,
          .memory_total_bytes = session.memory_total_bytes,
          .page_size = session.page_size,
          .possible_cpus = session.possible_cpus,
          .replayed = replayed};
}

int64_t AgeNs(uint64_t boottime_ns, const EventContext& context) {
  constexpr uint64_t kYearNs = 365ULL * 86400 * 1'000'000'000;
  const uint64_t age = context.committed_boottime_ns - boottime_ns;
  return boottime_ns > context.committed_boottime_ns || age > kYearNs ? 0
                                                                      : static_cast<int64_t>(age);
}

void FillEnvelope(const EventContext& context, v1::Event& event) {
  event.set_revision(1);
  event.set_view(v1::EVENT_VIEW_FULL);
  event.set_replayed(context.replayed);
  v1::NodeIdentity* node = event.mutable_node();
  node->set_cluster_name(context.cluster_name);
  node->set_node_name(context.node_name);
  node->set_boot_id(context.boot_id);
  node->set_kernel_release(context.kernel_release);
  if (context.memory_total_bytes != 0) {
    node->set_memory_total_bytes(context.memory_total_bytes);
  }
}

void FillTime(uint64_t boottime_ns, const EventContext& context, v1::Event& event) {
  event.set_boottime_ns(boottime_ns);
  *event.mutable_event_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
      context.committed_wall_ns - AgeNs(boottime_ns, context));
}

}  // namespace oombox
