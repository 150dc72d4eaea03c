#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/oombox/event_source.h"
#include "tools/oombox/fold.h"
#include "tools/oombox/render/style.h"

namespace oombox {

struct ListView {
  int64_t now_ns = 0;
  int64_t since_ns = 0;  // 0: no beginning was asked for
  bool chosen = false;   // some were asked for, not all
  std::string_view what = "OOM kills";
  size_t width = 0;  // 0: unbounded
  bool headers = true;
  Folding folding = Folding::kByWorkload;
  Paint paint{false};
};

// A table, newest first, gaps across the whole width, coverage as the last line.
std::string RenderListTable(const EventList& list, const ListView& view);
// One line each: for grep and chat.
std::string RenderListCompact(const EventList& list, const ListView& view);

}  // namespace oombox
