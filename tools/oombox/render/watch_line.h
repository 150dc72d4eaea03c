#pragma once

#include <string>

#include "oombox/v1/event.pb.h"
#include "tools/oombox/render/style.h"

namespace oombox {

// One event in one line, without newline; times are UTC:
// "03:12:41.318 KILL shop/web-1/app python3[31] 1742Mi limit 2Gi on node-1 4k7qzd".
// On a terminal of `width` columns the subject gives way; 0 is unbounded.
std::string WatchLine(const v1::Event& event, const Paint& paint, size_t width);

}  // namespace oombox
