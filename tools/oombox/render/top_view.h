#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oombox/v1/node.pb.h"
#include "tools/oombox/options.h"
#include "tools/oombox/render/style.h"

namespace oombox {

// A container or another memory cgroup that is there now, and when one of its name was killed last.
struct TopRow {
  std::string node = {};
  v1::ContainerReport container = {};
  std::optional<int64_t> last_kill_ns = {};
  bool never_killed = false;  // as far as is known; else it is unknown
  bool whole_node = false;
};

struct TopView {
  int64_t now_ns = 0;
  size_t width = 0;
  bool headers = true;
  bool nodes = false;          // a column for the node
  size_t limit = 0;            // lines; 0: all
  const char* more = "--all";  // what shows the others
  Paint paint{false};
};

// Of the working set (of the usage where that is not told), in per cent of the limit.
std::optional<double> TopShare(const v1::ContainerReport& report);

// The nearest to its limit, the fastest, the first to be full or the biggest first; what is not
// known comes last, the biggest first.
void SortRows(TopSort sort, std::vector<TopRow>& rows);

// A line each.
std::string RenderTop(const std::vector<TopRow>& rows, const TopView& view);

}  // namespace oombox
