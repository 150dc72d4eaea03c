#pragma once

#include <cstdint>
#include <string>

#include "agent/common/result.h"
#include "bpf/oombox_pinned.h"

namespace oombox {

// What an attachment knows of the files beside it: where its counts begin, and what they lost.
struct AttachmentBase {
  uint64_t base_store = 0;
  uint64_t base_events = 0;
  uint64_t base_journal_id = 0;
  uint64_t journal_last_id = 0;
  uint64_t damaged = 0;  // told or being told
  uint64_t kills_of_earlier_journals = 0;
  uint64_t gone_wall_ns = 0;
  uint64_t gone_kills = 0;

  bool operator==(const AttachmentBase&) const = default;
};

AttachmentBase BaseOf(const oombox_attachment& attachment);

// Changes all of it or nothing, also when killed on the way: what it becomes stands in the file
// first, and FinishBase at the next start goes on with that. The page lives as long as the kernel,
// so a power cut is not a case.
Status ReplaceBase(const std::string& file, const AttachmentBase& next,
                   oombox_attachment& attachment);

// What ReplaceBase left undone, if it was for this attachment. A file that cannot be read is
// nothing: it was not renamed to its name yet.
void FinishBase(const std::string& file, oombox_attachment& attachment);

}  // namespace oombox
