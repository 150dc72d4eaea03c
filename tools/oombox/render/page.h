#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tools/oombox/render/style.h"

namespace oombox {

// Lines of one screen: a label in the first column, wrapped text beside it. No line is wider than
// the page.
class Page {
 public:
  static constexpr size_t kLabelWidth = 9;

  Page(size_t width, Paint paint) : width_(width), paint_(paint) {}

  size_t width() const { return width_; }
  size_t text_width() const { return width_ - kLabelWidth; }

  // A line across the page, elided when too long.
  void Line(std::string_view text, Style style = Style::kPlain);
  void Blank();
  // `label`, then `text` wrapped into at most `max_lines`; `label` may be empty.
  void Text(std::string_view label, std::string_view text, size_t max_lines,
            Style style = Style::kPlain);
  // Text that is one line as it stands: spaces in it mean something.
  void Fixed(std::string_view label, std::string_view text);
  // As Text with at most 2 lines, with `right` at the right edge of the last.
  void Pair(std::string_view label, std::string_view left, std::string_view right, Style style);
  // Items joined by " · ", broken between items only.
  void Items(std::string_view label, const std::vector<std::string>& items, size_t max_lines);

  size_t lines() const { return static_cast<size_t>(std::count(out_.begin(), out_.end(), '\n')); }
  std::string Finish() &&;

 private:
  std::string Labelled(std::string_view label, std::string_view text, Style style) const;
  void Lines(std::string_view label, std::vector<std::string> lines, size_t max_lines, Style style);

  const size_t width_;
  const Paint paint_;
  std::string out_;
};

}  // namespace oombox
