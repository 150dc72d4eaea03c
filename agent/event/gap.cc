#include "agent/event/gap.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include "agent/common/text.h"
#include "agent/event/envelope.h"
#include "agent/event/event_id.h"

namespace oombox {

namespace {

constexpr size_t kMaxListedCgroups = 20;  // as event.proto says
constexpr size_t kEnoughBytes = 64 << 10;

}  // namespace

v1::Event AssembleGap(const Gap& gap, const EventContext& context) {
  using google::protobuf::util::TimeUtil;
  v1::Event event;
  event.set_event_id(EventIdFromName(
      fmt::format("gap/{}/{}/{}", context.boot_id, v1::GapEvent::Cause_Name(gap.cause), gap.key)));
  FillEnvelope(context, event);
  event.set_final(true);
  *event.mutable_event_time() = TimeUtil::NanosecondsToTimestamp(gap.end_wall_ns);

  v1::GapEvent* body = event.mutable_gap();
  body->set_cause(gap.cause);
  *body->mutable_start_time() = TimeUtil::NanosecondsToTimestamp(gap.start_wall_ns);
  *body->mutable_end_time() = TimeUtil::NanosecondsToTimestamp(gap.end_wall_ns);
  if (gap.count) {
    body->set_count(*gap.count);
  }
  body->set_detail(gap.detail);
  body->set_reconstructed(gap.reconstructed);
  for (size_t i = 0; i < gap.cgroups.size() && i < kMaxListedCgroups; ++i) {
    if (event.ByteSizeLong() > kEnoughBytes) {  // a path may have 4 KiB, each byte escaped
      break;
    }
    v1::CgroupKills* kills = body->add_cgroups();
    kills->set_cgroup_path(EscapeUntrusted(gap.cgroups[i].path));
    kills->set_kills(gap.cgroups[i].kills);
  }
  return event;
}

}  // namespace oombox
