#include "tools/oombox/render/page.h"

#include "tools/oombox/render/text_width.h"

namespace oombox {

void Page::Line(std::string_view text, Style style) {
  out_ += paint_(style, ElideMiddle(text, width_)) + "\n";
}

void Page::Blank() { out_ += "\n"; }

std::string Page::Labelled(std::string_view label, std::string_view text, Style style) const {
  const std::string padded = PadRight(label, kLabelWidth);
  return (label.empty() ? padded : paint_(Style::kBold, padded)) + paint_(style, text) + "\n";
}

void Page::Lines(std::string_view label, std::vector<std::string> lines, size_t max_lines,
                 Style style) {
  if (lines.size() > max_lines) {
    lines.resize(max_lines);
    const std::string mark = " …";
    lines.back() = ElideMiddle(lines.back(), text_width() - TextWidth(mark)) + mark;
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    out_ += Labelled(i == 0 ? label : "", lines[i], style);
  }
}

void Page::Text(std::string_view label, std::string_view text, size_t max_lines, Style style) {
  Lines(label, WrapWords(text, text_width()), max_lines, style);
}

void Page::Fixed(std::string_view label, std::string_view text) {
  out_ += Labelled(label, ElideMiddle(text, text_width()), Style::kPlain);
}

void Page::Pair(std::string_view label, std::string_view left, std::string_view right,
                Style style) {
  const size_t right_width = TextWidth(right);
  const size_t shared = text_width() - (right_width == 0 ? 0 : right_width + 2);
  std::vector<std::string> lines = WrapWords(left, text_width());
  if (lines.size() > 2 || TextWidth(lines.back()) > shared) {
    lines = WrapWords(left, shared);
  }
  if (lines.size() > 2) {
    lines.resize(2);
    lines.back() = ElideMiddle(lines.back(), shared - 2) + " …";
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    const std::string gap(
        last && right_width > 0 ? text_width() - TextWidth(lines[i]) - right_width : 0, ' ');
    const std::string padded = PadRight(i == 0 ? label : "", kLabelWidth);
    out_ += paint_(i == 0 ? Style::kBold : Style::kPlain, padded) + paint_(style, lines[i]) + gap +
            (last ? std::string(right) : "") + "\n";
  }
}

void Page::Items(std::string_view label, const std::vector<std::string>& items, size_t max_lines) {
  std::vector<std::string> lines(1);
  for (const std::string& item : items) {
    const std::string shown = ElideMiddle(item, text_width());
    std::string& line = lines.back();
    if (line.empty()) {
      line = shown;
    } else if (TextWidth(line) + 3 + TextWidth(shown) <= text_width()) {
      line += " · " + shown;
    } else {
      lines.push_back(shown);
    }
  }
  Lines(label, std::move(lines), max_lines, Style::kPlain);
}

std::string Page::Finish() && { return std::move(out_); }

}  // namespace oombox
