#pragma once

#include <string>
#include <vector>

#include "tools/oombox/render/list_view.h"

namespace oombox {

// `oombox list --kind pressure`: a line per change of state, newest first. On a narrow screen the
// columns that say least go, and a line below says which.
std::string RenderPressureTable(const std::vector<v1::Event>& events, const ListView& view);

}  // namespace oombox
