#pragma once

#include "agent/common/result.h"
#include "tools/memhog/options.h"
#include "tools/memhog/stage.h"

namespace oombox {

// How many workers the scenario will start.
size_t WorkersOf(const Options& options);

// Plays the scenario on the stage to its end. An error means that it could not be played (no
// cgroup, no kill in time, stopped by a signal); whether everybody met the expected end is in the
// report.
Status Play(const Options& options, Stage& stage);

}  // namespace oombox
