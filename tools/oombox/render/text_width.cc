#include "tools/oombox/render/text_width.h"

#include <clocale>
#include <cwchar>

namespace oombox {

namespace {

constexpr std::string_view kEllipsis = "…";

struct Character {
  size_t bytes = 1;
  size_t columns = 1;
};

Character First(std::string_view text, std::mbstate_t* state) {
  wchar_t wide = 0;
  const size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), state);
  if (bytes == 0 || bytes > text.size()) {  // NUL, or no character
    *state = std::mbstate_t{};
    return {};
  }
  const int columns = ::wcwidth(wide);
  return {bytes, columns < 0 ? 1 : static_cast<size_t>(columns)};
}

std::vector<Character> Characters(std::string_view text) {
  std::vector<Character> characters;
  std::mbstate_t state{};
  while (!text.empty()) {
    characters.push_back(First(text, &state));
    text.remove_prefix(characters.back().bytes);
  }
  return characters;
}

}  // namespace

void UseUtf8Locale() { std::setlocale(LC_CTYPE, "C.UTF-8"); }

size_t TextWidth(std::string_view text) {
  size_t width = 0;
  for (const Character& character : Characters(text)) {
    width += character.columns;
  }
  return width;
}

std::string ElideMiddle(std::string_view text, size_t columns) {
  const std::vector<Character> characters = Characters(text);
  size_t width = 0;
  for (const Character& character : characters) {
    width += character.columns;
  }
  if (width <= columns) {
    return std::string(text);
  }
  if (columns == 0) {
    return "";
  }
  // The tail gets the bigger half: the last part of a path is the name of the thing itself.
  const size_t head_columns = (columns - 1) / 3;
  const size_t tail_columns = columns - 1 - head_columns;
  size_t head = 0;
  size_t taken = 0;
  for (const Character& character : characters) {
    if (taken + character.columns > head_columns) {
      break;
    }
    taken += character.columns;
    head += character.bytes;
  }
  size_t tail = 0;
  taken = 0;
  for (auto it = characters.rbegin(); it != characters.rend(); ++it) {
    if (taken + it->columns > tail_columns) {
      break;
    }
    taken += it->columns;
    tail += it->bytes;
  }
  return std::string(text.substr(0, head))
      .append(kEllipsis)
      .append(text.substr(text.size() - tail));
}

std::string PadRight(std::string_view text, size_t columns) {
  const size_t width = TextWidth(text);
  return std::string(text).append(width < columns ? columns - width : 0, ' ');
}

std::string PadLeft(std::string_view text, size_t columns) {
  const size_t width = TextWidth(text);
  return std::string(width < columns ? columns - width : 0, ' ').append(text);
}

std::vector<std::string> WrapWords(std::string_view text, size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string word = ElideMiddle(text.substr(0, end), columns);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) {
      continue;
    }
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (TextWidth(line) + 1 + TextWidth(word) <= columns) {
      line.append(" ").append(word);
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

}  // namespace oombox
