#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oombox {

// The candidate that was probably meant by `typed`, or empty when none is near.
std::string Nearest(std::string_view typed, const std::vector<std::string>& candidates);

}  // namespace oombox
