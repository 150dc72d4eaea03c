#include "tools/oombox/render/style.h"

namespace oombox {

const char* Paint::Sequence(Style style) {
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kBold:
      return "\033[1m";
    case Style::kDim:
      return "\033[2m";
    case Style::kRed:
      return "\033[1;31m";
    case Style::kYellow:
      return "\033[33m";
    case Style::kGreen:
      return "\033[32m";
  }
  return "";
}

std::string Paint::operator()(Style style, std::string_view text) const {
  if (!enabled_ || style == Style::kPlain || text.empty()) {
    return std::string(text);
  }
  return std::string(Sequence(style)).append(text).append("\033[0m");
}

}  // namespace oombox
