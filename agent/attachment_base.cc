#include "agent/attachment_base.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "agent/common/replace_file.h"

namespace oombox {

namespace {

void Apply(const AttachmentBase& base, oombox_attachment& attachment) {
  attachment.base_store = base.base_store;
  attachment.base_events = base.base_events;
  attachment.base_journal_id = base.base_journal_id;
  attachment.journal_last_id = base.journal_last_id;
  attachment.damaged.telling = base.damaged;
  attachment.kills_of_earlier_journals = base.kills_of_earlier_journals;
  attachment.gone_wall_ns = base.gone_wall_ns;
  attachment.gone_kills = base.gone_kills;
}

}  // namespace

AttachmentBase BaseOf(const oombox_attachment& attachment) {
  return {.base_store = attachment.base_store,
          .base_events = attachment.base_events,
          .base_journal_id = attachment.base_journal_id,
          .journal_last_id = attachment.journal_last_id,
          .damaged = std::max(attachment.damaged.told, attachment.damaged.telling),
          .kills_of_earlier_journals = attachment.kills_of_earlier_journals,
          .gone_wall_ns = attachment.gone_wall_ns,
          .gone_kills = attachment.gone_kills};
}

Status ReplaceBase(const std::string& file, const AttachmentBase& next,
                   oombox_attachment& attachment) {
  if (next == BaseOf(attachment)) {
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(ReplaceFile(
      file,
      fmt::format("{} {} {} {} {} {} {} {} {}\n", attachment.attach_boottime_ns, next.base_store,
                  next.base_events, next.base_journal_id, next.journal_last_id, next.damaged,
                  next.kills_of_earlier_journals, next.gone_wall_ns, next.gone_kills)));
  FinishBase(file, attachment);
  return {};
}

void FinishBase(const std::string& file, oombox_attachment& attachment) {
  std::ifstream in(file);
  uint64_t attach_boottime_ns = 0;
  AttachmentBase base;
  if (in >> attach_boottime_ns >> base.base_store >> base.base_events >> base.base_journal_id >>
          base.journal_last_id >> base.damaged >> base.kills_of_earlier_journals >>
          base.gone_wall_ns >> base.gone_kills &&
      attach_boottime_ns == attachment.attach_boottime_ns) {
    Apply(base, attachment);
  }
  std::remove(file.c_str());
}

}  // namespace oombox
