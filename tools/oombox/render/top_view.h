#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oombox/v1/node.pb.h"
#include "tools/oombox/render/style.h"

namespace oombox {

// A container that has a cgroup now, and when one of its name was killed last.
struct TopRow {
  std::string node = {};
  v1::ContainerReport container = {};
  std::optional<int64_t> last_kill_ns = {};
  bool never_killed = false;  // as far as is known; else it is unknown
};

struct TopView {
  int64_t now_ns = 0;
  size_t width = 0;
  bool headers = true;
  bool nodes = false;  // a column for the node
  size_t limit = 0;    // lines; 0: all
  Paint paint{false};
};

// Nearest to its limit first; what has no limit comes last, the biggest first.
void SortByCloseness(std::vector<TopRow>& rows);

// A line each.
std::string RenderTop(const std::vector<TopRow>& rows, const TopView& view);

}  // namespace oombox
