#pragma once

#include <cstdint>
#include <string>

#include "agent/common/result.h"
#include "tools/oombox/options.h"

namespace oombox {

// The filter string that a server understands, composed of the options. kInvalid names the option,
// what is wrong with it and what to write instead.
//
// A gap is kept in sight: where --namespace, --cgroup or another choose among kills and --kind says
// nothing, gaps are listed too, because what was lost in one may have been the kill asked for.
Result<std::string> BuildFilter(const FilterOptions& options, int64_t now_ns);

// `text` in double quotes, as the filter language reads it back.
std::string QuoteFilterValue(std::string_view text);

// The options choose by a name that only the container runtime tells.
bool ChoosesByName(const FilterOptions& options);

// What such a choice may miss: pods that nobody has told the names of, by the other options.
FilterOptions NamelessOf(const FilterOptions& options);

}  // namespace oombox
