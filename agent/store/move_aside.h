#pragma once

#include <string>

#include "agent/common/result.h"

namespace oombox {

// A damaged database is put aside for whoever wants to rescue rows, and a new one begun. Killed at
// any instruction, the next start goes on where this one was, and what was put aside is known until
// it has been told.

// Beside a database: it was found damaged while it was in use.
std::string DamageMarker(const std::string& path);

// Renames the file with its -wal and -shm to <path>.corrupt-<time> and removes the marker. Returns
// the new name. Before anybody makes a new file at `path`.
Result<std::string> MoveAside(const std::string& path);

// Ends what a MoveAside that was killed has begun: a new file must not meet the old one's -wal.
Status FinishMoveAside(const std::string& path);

// The name of what was moved aside and not told yet; empty when nothing was.
std::string MovedAsideUntold(const std::string& path);

// A gap tells of it now.
Status NoteMovedAsideTold(const std::string& path);

}  // namespace oombox
