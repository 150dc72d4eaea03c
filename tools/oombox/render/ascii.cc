#include "tools/oombox/render/ascii.h"

#include <algorithm>
#include <array>
#include <utility>

namespace oombox {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kLikeness = {{
    {"…", "~"},
    {"·", "|"},
    {"→", ">"},
    {"✕", "x"},
    {"×", "x"},
    {"–", "-"},
    {"±", "+-"},
    {"≥", ">="},
    {"◀", "<"},
    {"└", "+"},
    {"│", "|"},
    {"─", "-"},
}};

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string ToAscii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    const auto* known = std::find_if(kLikeness.begin(), kLikeness.end(), [text](const auto& one) {
      return text.starts_with(one.first);
    });
    if (known != kLikeness.end()) {
      out += known->second;
      text.remove_prefix(known->first.size());
      continue;
    }
    out += '?';
    text.remove_prefix(1);
    while (!text.empty() && IsContinuation(text[0])) {
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace oombox
