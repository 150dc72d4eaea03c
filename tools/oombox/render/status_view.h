#pragma once

#include <string>
#include <vector>

#include "oombox/v1/query.pb.h"
#include "tools/oombox/render/style.h"

namespace oombox {

struct StatusView {
  int64_t now_ns = 0;
  size_t width = 0;
  bool headers = true;
  bool verbose = false;  // attachment, queues, and the features that a node does not give
  Paint paint{false};
};

// A line per node, why nodes are not complete or what ails them, and the kills of all: kernel's
// count against ours. Counts of a node that is not heard of are "-", and no sum pretends to hold
// them.
std::string RenderStatus(const std::vector<v1::NodeStatus>& nodes, const StatusView& view);

bool AllComplete(const std::vector<v1::NodeStatus>& nodes);

}  // namespace oombox
