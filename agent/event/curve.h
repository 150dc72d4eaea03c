#pragma once

#include "agent/event/assemble.h"
#include "agent/model/pressure.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// The memory before the kill, of the cgroup that fired, else of the victim's own; its last point is
// the kill's own reading. `history` may be null: nobody watches. Names among what is missing what
// was not watched. Also the alarm the cgroup was in. Of an event of this boot.
void AddHistory(const HistorySource* history, v1::Event& event);

}  // namespace oombox
