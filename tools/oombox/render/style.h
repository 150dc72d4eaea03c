#pragma once

#include <string>
#include <string_view>

namespace oombox {

enum class Style { kPlain, kBold, kDim, kRed, kYellow, kGreen };

// Puts colour around text, or leaves it alone.
class Paint {
 public:
  explicit Paint(bool enabled) : enabled_(enabled) {}

  std::string operator()(Style style, std::string_view text) const;
  bool enabled() const { return enabled_; }
  // The escape sequence itself, for tables that place it.
  static const char* Sequence(Style style);

 private:
  bool enabled_;
};

}  // namespace oombox
