#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "agent/store/filter.h"
#include "tools/oombox/event_source.h"
#include "tools/oombox/options.h"
#include "tools/oombox/render/top_view.h"

namespace oombox {

// What `oombox top` asks for, checked once.
struct TopChoice {
  Filter containers = {};
  Filter hosts = {};
  // Containers without a name that may be among those meant; absent where the choice is by none.
  std::optional<Filter> nameless = {};
  std::string filter = {};  // the text of `containers`, for the kills
};
Result<TopChoice> MakeTopChoice(const TopOptions& options, int64_t now_ns);

// What was chosen of the nodes' reports, and what they do not tell.
struct TopNodes {
  // Each with the containers that are asked for, and what concerns them of its report.
  std::vector<v1::NodeStatus> nodes = {};
  size_t silent = 0;
  size_t cut = 0;       // heard of, but they do not tell all of their containers
  size_t nameless = 0;  // containers whose names nobody knows, where the choice is by name
};
TopNodes ChooseNodes(const std::vector<v1::NodeStatus>& nodes, const TopChoice& choice);

// A container that is started again has another id and the same names.
using ContainerKey = std::tuple<std::string, std::string, std::string, std::string>;
struct LastKills {
  std::map<ContainerKey, int64_t> times;
  bool complete = true;  // who is not in `times` was not killed, as far as is known here
};
Result<LastKills> ReadLastKills(const std::string& filter, EventSource* source);

// Sorted.
std::vector<TopRow> MakeRows(const std::vector<v1::NodeStatus>& nodes, const LastKills& last_kills,
                             TopSort sort);

// What the table does not show and how fresh it is, a line each; those with a "!" make the answer
// partial.
std::string TopGaps(const TopNodes& chosen);
std::string TopFooter(const TopNodes& chosen, int64_t now_ns);

}  // namespace oombox
